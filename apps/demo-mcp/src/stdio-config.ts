import { z } from 'zod';

const schema = z.object({
  AUTHSEC_ISSUER: z.url().regex(/\/t\/[a-z][a-z0-9-]{1,39}$/, 'must end in /t/<tenant>'),
  AUTHSEC_CLIENT_ID: z.string().min(1),
  AUTHSEC_CLIENT_SECRET: z.string().min(1).optional(),
  AUTHSEC_LOGIN: z.enum(['auto', 'loopback', 'page']).default('auto'),
  AUTHSEC_REMEMBER_LOGIN: z.enum(['0', '1']).default('0'),
});

export interface StdioConfig {
  readonly tenant: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly login: 'auto' | 'loopback' | 'page';
  readonly rememberLogin: boolean;
}

/** Throws one Error that names every setting that is wrong, never a value. */
export function loadStdioConfig(env: Readonly<Record<string, string | undefined>>): StdioConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The demo MCP server cannot start on stdio:\n  ${problems.join('\n  ')}`);
  }
  const values = parsed.data;
  return Object.freeze({
    tenant: values.AUTHSEC_ISSUER.slice(values.AUTHSEC_ISSUER.lastIndexOf('/') + 1),
    issuer: values.AUTHSEC_ISSUER,
    clientId: values.AUTHSEC_CLIENT_ID,
    clientSecret: values.AUTHSEC_CLIENT_SECRET,
    login: values.AUTHSEC_LOGIN,
    rememberLogin: values.AUTHSEC_REMEMBER_LOGIN === '1',
  });
}
