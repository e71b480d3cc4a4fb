import { z } from 'zod';
import { sidSchema, timestampSchema } from './names.js';
import { route } from './route.js';

/** A requirement as rbac-core reads it: lists (`requireAll` must be said with two or more) or an `allOf`/`anyOf` expression. */
export const requirementSchema = z.record(z.string(), z.json());

export const decisionSchema = z.strictObject({
  decision_id: z.uuid(),
  at: timestampSchema,
  allowed: z.boolean(),
  /** rbac-core's decision code. */
  code: z.string(),
  /** One sentence a condition that was not met. */
  reasons: z.array(z.string()),
  /** The person, or the client id of a machine. */
  sub: z.string(),
  sid: sidSchema.nullable(),
  tool: z.string().nullable(),
  policy_version: z.string(),
});
export type DecisionAnswer = z.infer<typeof decisionSchema>;

export const decisionRoutes = {
  /**
   * Decides, by the same evaluator as the SDK, for one of the application's sessions (`sid`) or for a machine
   * (`client_id`): itself, or with `authsec:decisions:write` any application of the tenant.
   */
  decide: route({
    method: 'POST',
    path: '/v1/decisions',
    body: z
      .strictObject({
        sid: sidSchema.optional(),
        client_id: z.string().min(1).max(200).optional(),
        requirement: requirementSchema,
        tool: z.string().min(1).max(200).optional(),
      })
      .refine(({ sid, client_id }) => (sid === undefined) !== (client_id === undefined), 'takes sid or client_id'),
    response: decisionSchema,
    status: 201,
    errors: ['not_found', 'ambiguous_requirement', 'invalid_requirement'],
    access: { owner: true },
  }),
  get: route({
    method: 'GET',
    path: '/v1/decisions/:decision_id',
    params: z.strictObject({ decision_id: z.uuid() }),
    response: decisionSchema,
    status: 200,
    errors: ['not_found'],
    access: { owner: true, permission: 'authsec:decisions:read' },
  }),
};
