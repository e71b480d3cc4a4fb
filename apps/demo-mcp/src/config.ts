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

const schema = z.object({
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
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly stopOnStdinEnd: boolean;
}

/** Throws one Error that names every setting that is wrong, never a value. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): DemoConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The demo MCP server cannot start:\n  ${problems.join('\n  ')}`);
  }
  const values = parsed.data;
  return Object.freeze({
    endpoints: values.AUTHSEC_DEMO_ENDPOINTS,
    host: values.AUTHSEC_DEMO_HOST,
    port: values.AUTHSEC_DEMO_PORT,
    stopOnStdinEnd: values.AUTHSEC_STOP_ON_STDIN_END === '1',
  });
}
