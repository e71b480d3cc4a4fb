import { z } from 'zod';
import { nameSchema, timestampSchema } from './names.js';
import { route } from './route.js';
import { assignmentKinds } from './users.js';

const domain = z
  .string()
  .max(253)
  .regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/, 'must be a domain in lower case');

const endpoint = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).max(2_000);
const claimName = z.string().min(1).max(200);

/** Where an OAuth2 provider is, and which members of its userinfo answer say who somebody is (defaults: GitHub's). */
export const oauth2SettingsSchema = z.strictObject({
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  userinfo_endpoint: endpoint,
  /** Answers `[{ email, verified, primary }]`; where it is set, the userinfo answer's own address counts for nothing. */
  emails_endpoint: endpoint.optional(),
  claims: z
    .strictObject({
      subject: claimName.default('id'),
      email: claimName.default('email'),
      /** The member that must be `true` for the address to count; absent: it counts only as `trust_email` says. */
      email_verified: claimName.optional(),
      name: claimName.default('name'),
    })
    .prefault({}),
});

/** `gives` to a new person whose `claim` is `value`, or is a list that holds it. */
export const claimRightSchema = z.strictObject({
  claim: claimName,
  value: z.string().min(1).max(500),
  gives: z.strictObject({ kind: z.enum(assignmentKinds), name: nameSchema }),
});

export const identityProviderSettingsSchema = z.strictObject({
  /** What is asked of the provider; default `openid email profile` for OIDC and nothing for OAuth2. */
  scope: z.string().max(1_000).optional(),
  /** Default: what the provider's metadata says, else client_secret_basic. */
  token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post', 'none']).optional(),
  /** Somebody who comes for the first time: refused, made a person with nothing, or one with what `rights` says. */
  new_people: z.enum(['refuse', 'create', 'create_with_rights']).default('refuse'),
  rights: z.array(claimRightSchema).max(500).default([]),
  /** Only people whose verified address is of these; an empty list is any. */
  allowed_email_domains: z.array(domain).max(200).default([]),
  /** People with an address of these are sent here, and have no password. */
  home_realm_domains: z.array(domain).max(200).default([]),
  /** For providers that say nothing of verification (Entra): all its addresses are verified. An explicit `false` stays false. */
  trust_email: z.boolean().default(false),
  /** Only for the kind oauth2, and needed there. */
  oauth2: oauth2SettingsSchema.optional(),
});
export type IdentityProviderSettings = z.output<typeof identityProviderSettingsSchema>;

/** Shown on a button; unique in the tenant. */
const providerName = z.string().trim().min(1).max(80);
const clientId = z.string().min(1).max(500);
const clientSecret = z.string().min(1).max(4_000);

export const identityProviderSchema = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  kind: z.enum(['oidc', 'oauth2']),
  issuer: z.string(),
  client_id: z.string(),
  /** Whether there is one; it never comes out again. */
  has_client_secret: z.boolean(),
  /** The redirect URI to register at the provider. */
  callback_url: z.string(),
  enabled: z.boolean(),
  settings: identityProviderSettingsSchema,
  created_at: timestampSchema,
});
export type IdentityProviderView = z.infer<typeof identityProviderSchema>;

export const signInSettingsSchema = z.strictObject({ password_enabled: z.boolean() });
export type SignInSettingsView = z.infer<typeof signInSettingsSchema>;

const providerParams = z.strictObject({ identity_provider_id: z.uuid() });

/** Who may write these decides who is who: give it like the tenant's administration. */
export const identityProviderRoutes = {
  list: route({
    method: 'GET',
    path: '/v1/identity-providers',
    response: z.strictObject({ identity_providers: z.array(identityProviderSchema) }),
    status: 200,
    errors: [],
    access: { permission: 'authsec:identity-providers:read' },
  }),
  /** `conflict` where the tenant has one of this name or issuer. */
  create: route({
    method: 'POST',
    path: '/v1/identity-providers',
    body: z.strictObject({
      name: providerName,
      kind: z.enum(['oidc', 'oauth2']),
      /** Exact, as its metadata and tokens say it; for OAuth2 the URL that its people are kept under. Never changes. */
      issuer: endpoint,
      client_id: clientId,
      client_secret: clientSecret.optional(),
      enabled: z.boolean().default(true),
      settings: identityProviderSettingsSchema.prefault({}),
    }),
    response: identityProviderSchema,
    status: 201,
    errors: ['conflict', 'insufficient_permission'],
    access: { permission: 'authsec:identity-providers:write' },
  }),
  get: route({
    method: 'GET',
    path: '/v1/identity-providers/:identity_provider_id',
    params: providerParams,
    response: identityProviderSchema,
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:identity-providers:read' },
  }),
  /** `settings` replaces all of them; a `client_secret` of null takes it away. */
  update: route({
    method: 'PATCH',
    path: '/v1/identity-providers/:identity_provider_id',
    params: providerParams,
    body: z.strictObject({
      name: providerName.optional(),
      client_id: clientId.optional(),
      client_secret: clientSecret.nullable().optional(),
      enabled: z.boolean().optional(),
      settings: identityProviderSettingsSchema.optional(),
    }),
    response: identityProviderSchema,
    status: 200,
    errors: ['not_found', 'conflict', 'insufficient_permission'],
    access: { permission: 'authsec:identity-providers:write' },
  }),
  /** Nobody comes in through it any more; who did stays a person, and logins that live stay. */
  delete: route({
    method: 'DELETE',
    path: '/v1/identity-providers/:identity_provider_id',
    params: providerParams,
    status: 204,
    errors: ['not_found', 'conflict'],
    access: { permission: 'authsec:identity-providers:write' },
  }),
  getSignInSettings: route({
    method: 'GET',
    path: '/v1/sign-in-settings',
    response: signInSettingsSchema,
    status: 200,
    errors: [],
    access: { permission: 'authsec:identity-providers:read' },
  }),
  /** `conflict` where nobody could sign in any more: no password and no provider that is enabled. */
  updateSignInSettings: route({
    method: 'PATCH',
    path: '/v1/sign-in-settings',
    body: z.strictObject({ password_enabled: z.boolean() }),
    response: signInSettingsSchema,
    status: 200,
    errors: ['conflict'],
    access: { permission: 'authsec:identity-providers:write' },
  }),
};
