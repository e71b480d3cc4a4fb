import { z } from 'zod';
import { sidSchema } from './names.js';
import { route } from './route.js';

/** A place in the tenant's change feed; opaque. */
export const cursorSchema = z.string().regex(/^\d{1,20}\.\d{1,20}$/);

export const changesSchema = z.strictObject({
  cursor: cursorSchema,
  /** The rights of anyone may differ from what was answered under `after`: renew. */
  policy_changed: z.boolean(),
  /** The application's sessions that ended since `after`. */
  ended: z.array(z.strictObject({ sid: sidSchema, reason: z.string() })),
  /** Milliseconds that the Manager held the request before it looked at the database for this answer: the answer is at least as fresh as that. */
  held_ms: z.number().min(0),
});
export type Changes = z.infer<typeof changesSchema>;

export const changeRoutes = {
  /** Long poll: answers at once when something changed since `after`, otherwise when `wait` seconds are over. Without `after`: where the feed stands now. */
  poll: route({
    method: 'GET',
    path: '/v1/changes',
    query: z.strictObject({ after: cursorSchema.optional(), wait: z.coerce.number().int().min(0).max(25).default(25) }),
    response: changesSchema,
    status: 200,
    errors: [],
    access: { owner: true, session: true },
  }),
};
