import { z } from 'zod';
import { digestSchema } from './digest.js';
import { mcpSessionSchema, namesSchema, sidSchema, tenantIdSchema, timestampSchema } from './names.js';
import { route } from './route.js';

/** What a person effectively holds now; an empty list is nothing, never everything. */
export const grantsSchema = z.strictObject({
  roles: namesSchema,
  groups: namesSchema,
  scopes: namesSchema,
  resources: namesSchema,
  permissions: namesSchema,
});
export type Grants = z.infer<typeof grantsSchema>;

/** A login that can be judged: who, with which effective grants, and how long the answer may be relied on. */
export const activeSessionSchema = z.strictObject({
  status: z.literal('active'),
  sid: sidSchema,
  tenant_id: tenantIdSchema,
  sub: z.string().min(1),
  email: z.string().min(1),
  grants: grantsSchema,
  /** Seconds, at most 30: shorter where an assignment or the grant ends sooner. Counted from when the request was sent. */
  lease_seconds: z.number().min(0).max(30),
  /** Seconds until the first of the person's assignments, or the grant itself, ends; the poll may extend the lease up to that. */
  horizon_seconds: z.number().min(0),
  policy_version: z.string().regex(/^\d{1,20}$/),
});
export type ActiveSession = z.infer<typeof activeSessionSchema>;

export const endedSessionSchema = z.strictObject({
  status: z.literal('ended'),
  sid: sidSchema,
  /** 'unknown' also stands for another application's session. */
  reason: z.enum(['expired', 'logged_out', 'revoked', 'user_disabled', 'unknown']),
});
export const sessionStateSchema = z.discriminatedUnion('status', [activeSessionSchema, endedSessionSchema]);
export type SessionState = z.infer<typeof sessionStateSchema>;

/** What is listed of a session: never tokens, never the transport session. */
export const sessionSummarySchema = z.strictObject({
  sid: sidSchema,
  client_id: z.string(),
  sub: z.string(),
  email: z.string(),
  client_name: z.string().nullable(),
  created_at: timestampSchema,
  expires_at: timestampSchema,
  bound_at: timestampSchema.nullable(),
  ended_at: timestampSchema.nullable(),
  end_reason: z.string().nullable(),
});
export type SessionSummary = z.infer<typeof sessionSummarySchema>;

const sidParams = z.strictObject({ sid: sidSchema });

export const sessionRoutes = {
  /** Binds an in-band login to the MCP session that began it: once; the same Idempotency-Key gets the same answer. */
  bind: route({
    method: 'POST',
    path: '/v1/sessions',
    body: z.strictObject({
      access_token: z.string().min(1).max(16_384),
      mcp_session: mcpSessionSchema,
      /** The tool manifest of the server that holds the session. */
      manifest_digest: digestSchema.optional(),
    }),
    response: activeSessionSchema,
    status: 201,
    errors: ['person_token_invalid', 'token_not_for_this_session', 'token_already_used', 'session_ended'],
    access: { owner: true, session: true },
  }),
  /** Re-evaluates up to 500 of the application's sessions from the tenant's tables. */
  renew: route({
    method: 'POST',
    path: '/v1/sessions/renew',
    body: z.strictObject({
      sids: z.array(sidSchema).min(1).max(500),
      /** Of those whose server now has other tools than it said. */
      manifests: z
        .array(z.strictObject({ sid: sidSchema, digest: digestSchema }))
        .max(500)
        .optional(),
    }),
    response: z.strictObject({ sessions: z.array(sessionStateSchema) }),
    status: 200,
    errors: [],
    access: { owner: true, session: true },
  }),
  list: route({
    method: 'GET',
    path: '/v1/sessions',
    query: z.strictObject({
      sub: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      after: sidSchema.optional(),
    }),
    response: z.strictObject({ sessions: z.array(sessionSummarySchema), next: sidSchema.nullable() }),
    status: 200,
    errors: [],
    access: { owner: true, permission: 'authsec:sessions:read' },
  }),
  get: route({
    method: 'GET',
    path: '/v1/sessions/:sid',
    params: sidParams,
    response: sessionSummarySchema,
    status: 200,
    errors: ['not_found'],
    access: { owner: true, session: true, permission: 'authsec:sessions:read' },
  }),
  /** Ends the login: its grant, codes and refresh tokens go with it. Ending an ended session is 204 too. */
  revoke: route({
    method: 'DELETE',
    path: '/v1/sessions/:sid',
    params: sidParams,
    query: z.strictObject({ reason: z.enum(['logged_out', 'revoked']).default('revoked') }),
    status: 204,
    errors: ['not_found'],
    access: { owner: true, session: true, permission: 'authsec:sessions:revoke' },
  }),
};
