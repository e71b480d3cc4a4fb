import { z } from 'zod';
import { nameSchema, timestampSchema } from './names.js';
import { route } from './route.js';

export const userSchema = z.strictObject({
  id: z.uuid(),
  email: z.string(),
  email_verified: z.boolean(),
  display_name: z.string().nullable(),
  status: z.enum(['active', 'disabled']),
  created_at: timestampSchema,
});
export type UserView = z.infer<typeof userSchema>;

export const assignmentSchema = z.strictObject({ name: nameSchema, expires_at: timestampSchema.nullable() });
export type AssignmentView = z.infer<typeof assignmentSchema>;

const userId = z.uuid();
const userParams = z.strictObject({ user_id: userId });

/** What can be given to a person directly; a group is a membership. */
export const assignmentKinds = ['roles', 'groups', 'scopes', 'resources'] as const;
export type AssignmentKind = (typeof assignmentKinds)[number];
const assignmentParams = z.strictObject({ user_id: userId, kind: z.enum(assignmentKinds), name: nameSchema });

export const userRoutes = {
  list: route({
    method: 'GET',
    path: '/v1/users',
    query: z.strictObject({
      email: z.string().max(320).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      after: userId.optional(),
    }),
    response: z.strictObject({ users: z.array(userSchema), next: userId.nullable() }),
    status: 200,
    errors: [],
    access: { permission: 'authsec:users:read' },
  }),
  create: route({
    method: 'POST',
    path: '/v1/users',
    body: z.strictObject({
      email: z.email().max(320),
      display_name: z.string().min(1).max(200).optional(),
      password: z.string().min(12).max(256).optional(),
    }),
    response: userSchema,
    status: 201,
    errors: ['conflict'],
    access: { permission: 'authsec:users:write' },
  }),
  get: route({
    method: 'GET',
    path: '/v1/users/:user_id',
    params: userParams,
    response: userSchema,
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:users:read' },
  }),
  /** `disabled` ends every session of the person. */
  update: route({
    method: 'PATCH',
    path: '/v1/users/:user_id',
    params: userParams,
    body: z.strictObject({
      display_name: z.string().min(1).max(200).nullable().optional(),
      status: z.enum(['active', 'disabled']).optional(),
    }),
    response: userSchema,
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:users:write' },
  }),
  listAssignments: route({
    method: 'GET',
    path: '/v1/users/:user_id/:kind',
    params: z.strictObject({ user_id: userId, kind: z.enum(assignmentKinds) }),
    response: z.strictObject({ assignments: z.array(assignmentSchema) }),
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:users:read' },
  }),
  /** Gives it, or sets when it ends; the name must be in the tenant's tables. */
  assign: route({
    method: 'PUT',
    path: '/v1/users/:user_id/:kind/:name',
    params: assignmentParams,
    body: z.strictObject({ expires_at: timestampSchema.nullable().default(null) }),
    status: 204,
    errors: ['not_found'],
    access: { permission: 'authsec:assignments:write' },
  }),
  /** Takes it away; 204 too where it was not there. */
  unassign: route({
    method: 'DELETE',
    path: '/v1/users/:user_id/:kind/:name',
    params: assignmentParams,
    status: 204,
    errors: ['not_found'],
    access: { permission: 'authsec:assignments:write' },
  }),
};
