import { z } from 'zod';
import { requirementSchema } from './decisions.js';
import { sidSchema, timestampSchema } from './names.js';
import { route } from './route.js';
import { serviceEndpoint, serviceNameSchema, serviceSettingsSchema } from './service-settings.js';

const text = (max: number) => z.string().min(1).max(max);
const secretInput = z.record(z.string(), z.string().max(64_000));

export const serviceSchema = z.strictObject({
  id: z.uuid(),
  name: serviceNameSchema,
  description: z.string(),
  kind: z.string(),
  /** Null for a database. */
  base_url: z.string().nullable(),
  settings: serviceSettingsSchema,
  requirement: requirementSchema,
  applications: z.array(z.string()),
  owner: z.string().nullable(),
  raw_credential: z.boolean(),
  public_clients: z.boolean(),
  allow_private_addresses: z.boolean(),
  health_path: z.string().nullable(),
  enabled: z.boolean(),
  /** Counts the rotations. */
  secret_version: z.number().int().min(0),
  /** Until then the secret before this one still works here. */
  previous_secret_until: timestampSchema.nullable(),
  last_used_at: timestampSchema.nullable(),
  last_check: z.strictObject({ at: timestampSchema, outcome: z.string() }).nullable(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type ServiceView = z.infer<typeof serviceSchema>;

const writable = {
  description: z.string().max(500),
  /** Requests go to this origin, below this path, and nowhere else. */
  base_url: serviceEndpoint,
  settings: serviceSettingsSchema,
  /** Whose calls may use it: decided anew by rbac-core each time that the credential is fetched. */
  requirement: requirementSchema,
  /** Client ids of the applications whose tools may use it; none by an empty list. */
  applications: z.array(text(200)).max(500),
  /** UUID of the person who answers for it. */
  owner: z.uuid().nullable(),
  /** `credential(name)` may hand its raw value to a tool's code. */
  raw_credential: z.boolean(),
  /** Public clients (stdio, on a person's own machine) may fetch it; a person's own connection they always may. */
  public_clients: z.boolean(),
  /** Takes effect only where the operator allows private addresses too. */
  allow_private_addresses: z.boolean(),
  /** Asked with GET by a health check, below `base_url`. */
  health_path: z
    .string()
    .max(500)
    .regex(/^\/[^\s#]*$/, 'must begin with /')
    .nullable(),
  enabled: z.boolean(),
};

const serviceParams = z.strictObject({ service_id: z.uuid() });
const write = { permission: 'authsec:services:write' } as const;
const read = { permission: 'authsec:services:read' } as const;

/** A credential as it goes to the SDK, which puts it on requests and nowhere else. */
export const serviceCredentialSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), name: z.string(), value: z.string() }),
  z.strictObject({ type: z.literal('query'), name: z.string(), value: z.string() }),
  z.strictObject({ type: z.literal('basic'), username: z.string(), password: z.string() }),
  z.strictObject({ type: z.literal('bearer'), token: z.string() }),
  z.strictObject({
    type: z.literal('client_certificate'),
    certificate: z.string(),
    private_key: z.string(),
    certificate_authority: z.string().nullable(),
  }),
  z.strictObject({
    type: z.literal('database'),
    host: z.string(),
    port: z.number().int(),
    database: z.string(),
    tls: z.enum(['disable', 'require', 'verify-full']),
    username: z.string(),
    password: z.string(),
  }),
]);
export type ServiceCredential = z.infer<typeof serviceCredentialSchema>;

export const issuedCredentialSchema = z.strictObject({
  service: z.strictObject({
    id: z.uuid(),
    name: serviceNameSchema,
    kind: z.string(),
    base_url: z.string().nullable(),
    allow_private_addresses: z.boolean(),
  }),
  credential: serviceCredentialSchema,
  /** Seconds that it may be kept in memory, counted from when the request was sent: 300 at most, under a lease its time. */
  expires_in: z.number().min(0).max(3_600),
  /** Of a dynamic credential: to be ended with the call. */
  lease_id: z.uuid().nullable(),
  decision_id: z.uuid(),
});
export type IssuedCredential = z.infer<typeof issuedCredentialSchema>;

export const renewedLeaseSchema = z.strictObject({
  /** Seconds that the account lives from when the request was sent. */
  expires_in: z.number().min(0).max(3_600),
  decision_id: z.uuid(),
});
export type RenewedLease = z.infer<typeof renewedLeaseSchema>;

export const serviceConnectionSchema = z.strictObject({
  sub: z.string(),
  status: z.enum(['connected', 'reconnect']),
  scope: z.string().nullable(),
  connected_at: timestampSchema,
  last_used_at: timestampSchema.nullable(),
});

const credentialErrors = [
  'not_found',
  'session_ended',
  'service_denied',
  'service_raw_denied',
  'service_not_connected',
  'service_unavailable',
  'service_kind_unavailable',
  'secret_store_unavailable',
  'secret_store_denied',
  'secret_missing',
] as const;

export const serviceRoutes = {
  list: route({
    method: 'GET',
    path: '/v1/services',
    response: z.strictObject({ services: z.array(serviceSchema) }),
    status: 200,
    errors: [],
    access: read,
  }),
  /** `conflict`: the name is taken. `service_kind_unavailable`: this Manager's secret store cannot do that kind. */
  create: route({
    method: 'POST',
    path: '/v1/services',
    maxBodyBytes: 256 * 1024,
    body: z.strictObject({
      name: serviceNameSchema,
      description: writable.description.default(''),
      base_url: writable.base_url.optional(),
      settings: writable.settings,
      secret: secretInput,
      requirement: writable.requirement,
      applications: writable.applications,
      owner: writable.owner.default(null),
      raw_credential: writable.raw_credential.default(false),
      public_clients: writable.public_clients.default(false),
      allow_private_addresses: writable.allow_private_addresses.default(false),
      health_path: writable.health_path.default(null),
      enabled: writable.enabled.default(true),
    }),
    response: serviceSchema,
    status: 201,
    errors: [
      'conflict',
      'ambiguous_requirement',
      'invalid_requirement',
      'service_kind_unavailable',
      'secret_store_unavailable',
      'secret_store_denied',
    ],
    access: write,
  }),
  get: route({
    method: 'GET',
    path: '/v1/services/:service_id',
    params: serviceParams,
    response: serviceSchema,
    status: 200,
    errors: ['not_found'],
    access: read,
  }),
  /** Where the secret would go elsewhere (base URL, an endpoint, a host), it must be given anew; people's connections end then. */
  update: route({
    method: 'PATCH',
    path: '/v1/services/:service_id',
    maxBodyBytes: 256 * 1024,
    params: serviceParams,
    body: z.strictObject({
      description: writable.description.optional(),
      base_url: writable.base_url.optional(),
      settings: writable.settings.optional(),
      secret: secretInput.optional(),
      requirement: writable.requirement.optional(),
      applications: writable.applications.optional(),
      owner: writable.owner.optional(),
      raw_credential: writable.raw_credential.optional(),
      public_clients: writable.public_clients.optional(),
      allow_private_addresses: writable.allow_private_addresses.optional(),
      health_path: writable.health_path.optional(),
      enabled: writable.enabled.optional(),
    }),
    response: serviceSchema,
    status: 200,
    errors: [
      'not_found',
      'conflict',
      'ambiguous_requirement',
      'invalid_requirement',
      'service_kind_unavailable',
      'secret_store_unavailable',
      'secret_store_denied',
    ],
    access: write,
  }),
  delete: route({
    method: 'DELETE',
    path: '/v1/services/:service_id',
    params: serviceParams,
    status: 204,
    errors: ['not_found', 'secret_store_unavailable', 'secret_store_denied'],
    access: write,
  }),
  /** A new secret; a service that answers 401 to it within `overlap_seconds` is asked with the one before. */
  rotate: route({
    method: 'POST',
    path: '/v1/services/:service_id/rotate',
    maxBodyBytes: 256 * 1024,
    params: serviceParams,
    body: z.strictObject({ secret: secretInput, overlap_seconds: z.number().int().min(0).max(604_800).default(0) }),
    response: serviceSchema,
    status: 200,
    errors: ['not_found', 'conflict', 'secret_store_unavailable', 'secret_store_denied'],
    access: write,
  }),
  /** Gets the credential as a tool would and asks `health_path` with it; the answer's body is never shown. */
  test: route({
    method: 'POST',
    path: '/v1/services/:service_id/test',
    params: serviceParams,
    response: z.strictObject({
      ok: z.boolean(),
      /** `ok`, `http_<status>`, `unreachable`, `timeout`, `address_refused`, or a code of this API. */
      outcome: z.string(),
      checked_at: timestampSchema,
    }),
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:services:test' },
  }),
  /**
   * The credential of a service for one call of a tool, by the service's name: the session is judged and the
   * requirement decided now. `raw` where a tool's code is to see it. `previous`: the one before a rotation.
   */
  issueCredential: route({
    method: 'POST',
    path: '/v1/service-credentials',
    body: z.strictObject({
      sid: sidSchema,
      service: serviceNameSchema,
      raw: z.boolean().default(false),
      previous: z.boolean().default(false),
      tool: text(200).optional(),
    }),
    response: issuedCredentialSchema,
    status: 201,
    errors: [...credentialErrors],
    access: { owner: true, session: true },
  }),
  /**
   * A dynamic credential lives on, for a call of a tool that takes longer: the session is judged and the requirement
   * decided now. 404 for a lease that is over.
   */
  renewLease: route({
    method: 'POST',
    path: '/v1/service-leases/:lease_id/renew',
    params: z.strictObject({ lease_id: z.uuid() }),
    body: z.strictObject({ tool: text(200).optional() }),
    response: renewedLeaseSchema,
    status: 200,
    errors: [...credentialErrors],
    access: { owner: true, session: true },
  }),
  /** Ends a dynamic credential; ending an ended one is 204 too. */
  endLease: route({
    method: 'DELETE',
    path: '/v1/service-leases/:lease_id',
    params: z.strictObject({ lease_id: z.uuid() }),
    status: 204,
    errors: ['not_found'],
    access: { owner: true, session: true },
  }),
  /** The link by which the person of a session connects their own account at the service. */
  connect: route({
    method: 'POST',
    path: '/v1/service-connections',
    body: z.strictObject({ sid: sidSchema, service: serviceNameSchema }),
    response: z.strictObject({ connect_url: z.url(), expires_in: z.number().int() }),
    status: 201,
    errors: ['not_found', 'session_ended', 'service_denied', 'conflict'],
    access: { owner: true, session: true },
  }),
  listConnections: route({
    method: 'GET',
    path: '/v1/services/:service_id/connections',
    params: serviceParams,
    response: z.strictObject({ connections: z.array(serviceConnectionSchema) }),
    status: 200,
    errors: ['not_found'],
    access: read,
  }),
  disconnect: route({
    method: 'DELETE',
    path: '/v1/services/:service_id/connections/:sub',
    params: z.strictObject({ service_id: z.uuid(), sub: z.uuid() }),
    status: 204,
    errors: ['not_found', 'secret_store_unavailable', 'secret_store_denied'],
    access: write,
  }),
};
