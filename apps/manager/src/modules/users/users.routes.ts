import { userRoutes } from '@authsec/manager-client/contract';
import { Secret } from '../../config/secret.js';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import type { AssignmentsService } from './assignments.service.js';
import type { UsersService } from './users.service.js';

export interface UserRoutesOptions {
  readonly users: UsersService;
  readonly assignments: AssignmentsService;
}

export function createUserRoutes({ users, assignments }: UserRoutesOptions): BoundRoute[] {
  return [
    bindRoute(userRoutes.list, ({ caller, query }) => users.list(caller, query)),
    bindRoute(userRoutes.create, ({ caller, body, requestId }) => {
      const { email, display_name: displayName, password } = body;
      const user = { email, displayName, password: password === undefined ? undefined : new Secret(password) };
      return users.create(caller, user, requestId);
    }),
    bindRoute(userRoutes.get, ({ caller, params }) => users.get(caller, params.user_id)),
    bindRoute(userRoutes.update, ({ caller, params, body, requestId }) => {
      const { display_name: displayName, status } = body;
      const change = { ...(displayName !== undefined && { displayName }), ...(status !== undefined && { status }) };
      return users.update(caller, params.user_id, change, requestId);
    }),
    bindRoute(userRoutes.listAssignments, async ({ caller, params }) => ({
      assignments: await assignments.list(caller, params.user_id, params.kind),
    })),
    bindRoute(userRoutes.assign, ({ caller, params, body, requestId }) => {
      const { user_id: userId, kind, name } = params;
      const expiresAt = body.expires_at === null ? null : new Date(body.expires_at);
      return assignments.assign(caller, { userId, kind, name }, expiresAt, requestId);
    }),
    bindRoute(userRoutes.unassign, ({ caller, params, requestId }) => {
      const { user_id: userId, kind, name } = params;
      return assignments.unassign(caller, { userId, kind, name }, requestId);
    }),
  ];
}
