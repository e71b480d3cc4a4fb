import { z } from 'zod';
import { timestampSchema } from './names.js';
import { route } from './route.js';

/** Seconds: what was signed with the old key lives at most so long, clocks that differ included. */
export const minKeyOverlapSeconds = 660;

export const signingKeySchema = z.strictObject({
  kid: z.string(),
  alg: z.string(),
  /** `active` signs; what a `retiring` one signed still verifies; a `retired` one is nothing any more. */
  status: z.enum(['active', 'retiring', 'retired']),
  created_at: timestampSchema,
  retires_at: timestampSchema.nullable(),
  retired_at: timestampSchema.nullable(),
  /** No access token issued before is valid any more. */
  revoked_at: timestampSchema.nullable(),
});
export type SigningKeyView = z.infer<typeof signingKeySchema>;

const keysSchema = z.strictObject({ keys: z.array(signingKeySchema) });
const writers = { permission: 'authsec:signing-keys:write' } as const;

export const signingKeyRoutes = {
  /** The newest first. */
  list: route({
    method: 'GET',
    path: '/v1/signing-keys',
    response: keysSchema,
    status: 200,
    errors: [],
    access: { permission: 'authsec:signing-keys:read' },
  }),
  /** A new key signs from now on; what the old one signed verifies for `overlap_seconds` more. */
  rotate: route({
    method: 'POST',
    path: '/v1/signing-keys/rotate',
    body: z.strictObject({
      overlap_seconds: z
        .number()
        .int()
        .min(minKeyOverlapSeconds)
        .max(30 * 24 * 3600)
        .default(3600),
    }),
    response: keysSchema,
    status: 201,
    errors: ['conflict'],
    access: writers,
  }),
  /**
   * For keys that others may have: all of them retire at once, a new one signs, and every access token issued before is
   * refused, the caller's too. Sessions are rows and stay, unless `end_sessions` is said.
   */
  revoke: route({
    method: 'POST',
    path: '/v1/signing-keys/revoke',
    body: z.strictObject({ end_sessions: z.boolean().default(false) }),
    response: keysSchema.extend({ revoked_at: timestampSchema, ended_sessions: z.number().int().min(0) }),
    status: 201,
    errors: [],
    access: writers,
  }),
};
