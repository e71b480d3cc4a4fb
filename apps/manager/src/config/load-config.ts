import { environmentSchema } from './schema.js';
import type { Secret } from './secret.js';

export interface Config {
  /** Public base URL, without a trailing slash; issuers are `<url>/t/<tenant>`. */
  readonly url: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly masterDatabaseUrl: Secret;
  /** The server on which tenant databases are made. */
  readonly tenantDatabaseUrl: Secret;
  /** The first seals, all open; `key` is base64 of 32 bytes. */
  readonly sealingKeys: readonly { readonly id: string; readonly key: Secret }[];
  readonly cookieKeys: readonly Secret[];
  readonly logLevel: string;
  /** Addresses or subnets, as Express' `trust proxy` takes them. */
  readonly trustedProxies: readonly string[];
  readonly maxOpenTenants: number;
  readonly dangerouslyAllowHttp: boolean;
  /** URLs that tenants give may lead to private and loopback addresses. */
  readonly dangerouslyAllowPrivateAddresses: boolean;
  readonly stopOnStdinEnd: boolean;
}

/** Lists every problem of the environment at once, never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_configuration';

  constructor(readonly problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** Pure: reads only what it is given. An empty variable counts as not set. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(set);
  const problems = parsed.error?.issues.map((issue) => describe(String(issue.path[0]), issue.message, set)) ?? [];
  if (isPlainHttp(set['AUTHSEC_URL']) && !['1', 'true'].includes(set['AUTHSEC_DANGEROUSLY_ALLOW_HTTP'] ?? '')) {
    problems.push('AUTHSEC_URL: must be https; AUTHSEC_DANGEROUSLY_ALLOW_HTTP=1 allows http for development');
  }
  if (problems.length > 0 || !parsed.data) throw new ConfigError(problems);
  const values = parsed.data;
  return deepFreeze({
    url: values.AUTHSEC_URL,
    host: values.AUTHSEC_HOST,
    port: values.AUTHSEC_PORT,
    masterDatabaseUrl: values.AUTHSEC_DATABASE_URL,
    tenantDatabaseUrl: values.AUTHSEC_TENANT_DATABASE_URL ?? values.AUTHSEC_DATABASE_URL,
    sealingKeys: values.AUTHSEC_SEALING_KEYS,
    cookieKeys: values.AUTHSEC_COOKIE_KEYS,
    logLevel: values.AUTHSEC_LOG_LEVEL,
    trustedProxies: values.AUTHSEC_TRUSTED_PROXIES,
    maxOpenTenants: values.AUTHSEC_MAX_OPEN_TENANTS,
    dangerouslyAllowHttp: values.AUTHSEC_DANGEROUSLY_ALLOW_HTTP,
    dangerouslyAllowPrivateAddresses: values.AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES,
    stopOnStdinEnd: values.AUTHSEC_STOP_ON_STDIN_END,
  });
}

function describe(name: string, message: string, set: Readonly<Record<string, string | undefined>>): string {
  return `${name}: ${name in set ? message : 'is required'}`;
}

function isPlainHttp(value: string | undefined): boolean {
  return value !== undefined && /^http:/i.test(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
