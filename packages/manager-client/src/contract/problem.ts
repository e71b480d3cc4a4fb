import { z } from 'zod';

/** Every `code` that the Manager's API can answer with; docs/errors.md has an entry for each. */
export const wireCodes = [
  'invalid_request',
  'invalid_token',
  'insufficient_permission',
  'not_found',
  'method_not_allowed',
  'payload_too_large',
  'unsupported_media_type',
  'conflict',
  'rate_limited',
  'internal_error',
  'tenant_unavailable',
  'person_token_invalid',
  'token_not_for_this_session',
  'token_already_used',
  'session_ended',
  'ambiguous_requirement',
  'invalid_requirement',
  'service_denied',
  'service_raw_denied',
  'service_not_connected',
  'service_unavailable',
  'service_kind_unavailable',
  'secret_store_unavailable',
  'secret_store_denied',
  'secret_missing',
] as const;

export type WireCode = (typeof wireCodes)[number];

/** An RFC 9457 problem body, with the stable `code` and the `request_id` to quote to the operator. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  code: z.enum(wireCodes),
  request_id: z.string(),
  /** For invalid_request: which fields, as JSON pointers (RFC 6901), and what is wrong with each. */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

export type Problem = z.infer<typeof problemSchema>;
