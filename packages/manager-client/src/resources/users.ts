import type { z } from 'zod';
import type { CallOptions, CallRoute } from '../call-route.js';
import { userRoutes as routes, type AssignmentKind } from '../contract/users.js';

/** People of the tenant and what is given to them directly. */
export function createUsers(call: CallRoute) {
  return {
    list: (query: z.input<typeof routes.list.query & {}> = {}, options?: CallOptions) =>
      call(routes.list, { query }, options),

    create: (body: z.input<typeof routes.create.body & {}>, options?: CallOptions) =>
      call(routes.create, { body }, options),

    get: (userId: string, options?: CallOptions) => call(routes.get, { params: { user_id: userId } }, options),

    update: (userId: string, body: z.input<typeof routes.update.body & {}>, options?: CallOptions) =>
      call(routes.update, { params: { user_id: userId }, body }, options),

    listAssignments: (userId: string, kind: AssignmentKind, options?: CallOptions) =>
      call(routes.listAssignments, { params: { user_id: userId, kind } }, options),

    assign: (
      assignment: z.input<typeof routes.assign.params & {}>,
      body: z.input<typeof routes.assign.body & {}> = {},
      options?: CallOptions,
    ) => call(routes.assign, { params: assignment, body }, options),

    unassign: (assignment: z.input<typeof routes.unassign.params & {}>, options?: CallOptions) =>
      call(routes.unassign, { params: assignment }, options),
  };
}
export type Users = ReturnType<typeof createUsers>;
