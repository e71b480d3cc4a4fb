import { z } from 'zod';

/** Code points that could be mistaken for others, or do things to a terminal or a path, are not in a name that tools say. */
export const serviceNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be lower case letters, digits, - and _, and begin with a letter');

/** Of a service, or of its authorization server. */
export const serviceEndpoint = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).max(2_000);
/** A field name of RFC 9110, none of those that frame or route a message. */
const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be a header field name')
  .refine(
    (name) => !/^(host|content-.*|transfer-encoding|connection|upgrade|te|trailer|expect|cookie)$/i.test(name),
    'is a field that frames or routes the message',
  );
const text = (max: number) => z.string().min(1).max(max);
// oxlint-disable-next-line no-control-regex -- control characters are what it refuses
const secretText = text(8_000).regex(/^[^\u0000-\u001f\u007f]+$/u, 'control characters are not allowed');
const pem = text(64_000).regex(/^-----BEGIN [A-Z0-9 ]+-----/, 'must be PEM');

const tokenClient = {
  token_endpoint: serviceEndpoint,
  client_id: text(500),
  scope: z.string().max(2_000).optional(),
  token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
};

/** How the credential is got and put on a request, by kind: nothing of it is secret. */
export const serviceSettingsSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('api_key'),
      in: z.enum(['header', 'query']),
      name: text(100),
      /** Before the key in the header, such as `Token `. */
      prefix: z.string().max(50).default(''),
    }),
    z.strictObject({ kind: z.literal('basic') }),
    z.strictObject({ kind: z.literal('bearer') }),
    z.strictObject({
      kind: z.literal('oauth2_client_credentials'),
      ...tokenClient,
      /** RFC 8707. */
      resource: serviceEndpoint.optional(),
    }),
    z.strictObject({
      kind: z.literal('oauth2_authorization_code'),
      ...tokenClient,
      authorization_endpoint: serviceEndpoint,
      /** RFC 9207, where the provider announces it: what `iss` of its answers must be. */
      issuer: serviceEndpoint.optional(),
      /** RFC 7009: told when a person disconnects. */
      revocation_endpoint: serviceEndpoint.optional(),
    }),
    z.strictObject({
      kind: z.literal('database'),
      host: text(253).regex(/^[A-Za-z0-9.:-]+$/, 'must be a host name or an address'),
      port: z.number().int().min(1).max(65_535).default(5432),
      database: text(63).regex(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, - and _'),
      tls: z.enum(['disable', 'require', 'verify-full']).default('verify-full'),
      /** SQL with `{{name}}`, `{{password}}` and `{{expiration}}`. */
      creation_statements: z.array(text(4_000)).min(1).max(20),
      revocation_statements: z.array(text(4_000)).max(20).default([]),
      ttl_seconds: z.number().int().min(10).max(3_600).default(300),
    }),
    z.strictObject({ kind: z.literal('mtls') }),
  ])
  .refine(
    (settings) =>
      settings.kind !== 'api_key' || settings.in !== 'header' || headerName.safeParse(settings.name).success,
    {
      path: ['name'],
      message: 'must be a header field name that neither frames nor routes a message',
    },
  );
export type ServiceSettings = z.output<typeof serviceSettingsSchema>;
export type ServiceKind = ServiceSettings['kind'];

/** What goes in and never comes out of the API for people; the shape follows the kind of the service. */
export const serviceSecretSchemas = {
  api_key: z.strictObject({ key: secretText }),
  basic: z.strictObject({ username: secretText, password: secretText }),
  bearer: z.strictObject({ token: secretText }),
  oauth2_client_credentials: z.strictObject({ client_secret: secretText }),
  oauth2_authorization_code: z.strictObject({ client_secret: secretText }),
  /** The account that makes the others. */
  database: z.strictObject({ username: secretText, password: secretText }),
  mtls: z.strictObject({ certificate: pem, private_key: pem, certificate_authority: pem.optional() }),
} as const satisfies Record<ServiceKind, z.ZodType>;
/** Its names are judged with the kind, where one that is not known is not repeated. */
