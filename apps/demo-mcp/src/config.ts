import { readFileSync } from 'node:fs';
import { z } from 'zod';

const endpointSchema = z.strictObject({
  tenant: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/),
  issuer: z.url(),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
});

/** One tenant's endpoint: `/t/<tenant>/mcp`, and the application that it is at the Manager. */
export type DemoEndpoint = z.infer<typeof endpointSchema>;

const endpointsSchema = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

/** What `applications create --credentials-file` of the Manager writes. */
const credentialsSchema = z
  .object({ tenant: z.string(), issuer: z.string(), client_id: z.string(), client_secret: z.string() })
  .transform(({ tenant, issuer, client_id: clientId, client_secret: clientSecret }) => ({
    tenant,
    issuer,
    clientId,
    clientSecret,
  }));

const list = (value: string) =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

const schema = z.object({
  AUTHSEC_DEMO_ALLOWED_HOSTS: z.string().transform(list).optional(),
  AUTHSEC_DEMO_ENDPOINTS: endpointsSchema.pipe(
    z
      .array(endpointSchema)
      .min(1)
      .refine((list) => new Set(list.map(({ tenant }) => tenant)).size === list.length, 'names a tenant twice'),
  ),
  AUTHSEC_DEMO_HOST: z.string().min(1).default('127.0.0.1'),
  AUTHSEC_DEMO_PORT: z.coerce.number().int().min(0).max(65_535).default(4701),
  AUTHSEC_STOP_ON_STDIN_END: z.enum(['0', '1']).default('0'),
});

export interface DemoConfig {
  readonly endpoints: readonly DemoEndpoint[];
  /** By which names it is reached, where that is not loopback alone. */
  readonly allowedHosts: readonly string[] | undefined;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly stopOnStdinEnd: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;
const readText = (path: string): string => readFileSync(path, 'utf8');

/** Throws one Error that names every setting that is wrong, never a value. */
export function loadConfig(env: Environment, readFile = readText): DemoConfig {
  const parsed = schema.safeParse({ ...env, AUTHSEC_DEMO_ENDPOINTS: endpointsOf(env, readFile) });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The demo MCP server cannot start:\n  ${problems.join('\n  ')}`);
  }
  const values = parsed.data;
  return Object.freeze({
    endpoints: values.AUTHSEC_DEMO_ENDPOINTS,
    allowedHosts: values.AUTHSEC_DEMO_ALLOWED_HOSTS,
    host: values.AUTHSEC_DEMO_HOST,
    port: values.AUTHSEC_DEMO_PORT,
    stopOnStdinEnd: values.AUTHSEC_STOP_ON_STDIN_END === '1',
  });
}

/** AUTHSEC_DEMO_CREDENTIALS_FILES names files, one an endpoint, in the place of AUTHSEC_DEMO_ENDPOINTS. */
function endpointsOf(env: Environment, readFile: (path: string) => string): string | undefined {
  const paths = list(env['AUTHSEC_DEMO_CREDENTIALS_FILES'] ?? '');
  if (paths.length === 0) return env['AUTHSEC_DEMO_ENDPOINTS'];
  return JSON.stringify(
    paths.map((path) => {
      try {
        return credentialsSchema.parse(JSON.parse(readFile(path)));
      } catch {
        throw new Error(
          `The demo MCP server cannot start:\n  AUTHSEC_DEMO_CREDENTIALS_FILES: ${path} holds no credentials`,
        );
      }
    }),
  );
}
