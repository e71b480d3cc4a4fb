import { readFileSync } from 'node:fs';
import { readSecretFiles } from './read-secret-files.js';
import { environmentSchema, secretVariables } from './schema.js';
import type { Secret } from './secret.js';
import { type TelemetrySettings, telemetrySettingsOf } from './telemetry-settings.js';
import { findTlsProblem } from './tls-files.js';
import { findVaultProblems, toVaultSettings, type VaultSettings } from './vault-settings.js';

export interface Config {
  /** Public base URL, without a trailing slash; issuers are `<url>/t/<tenant>`. */
  readonly url: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly masterDatabaseUrl: Secret;
  /** The server on which tenant databases are made. */
  readonly tenantDatabaseUrl: Secret;
  /** The first seals, all open; `key` is base64 of 32 bytes, or `vault:v…` until `unwrapSealingKeys` opened it. */
  readonly sealingKeys: readonly { readonly id: string; readonly key: Secret }[];
  readonly cookieKeys: readonly Secret[];
  /** It speaks TLS itself: PEM files, read at start and at each SIGHUP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Otherwise it starts only on databases that `migrate` brought up to date. */
  readonly migrateOnStart: boolean;
  readonly logLevel: string;
  /** Addresses or subnets, as Express' `trust proxy` takes them. */
  readonly trustedProxies: readonly string[];
  readonly maxOpenTenants: number;
  /** How long ended sessions, decisions and audit events are kept; for ever where it is not there. */
  readonly historyDays: number | undefined;
  readonly dangerouslyAllowHttp: boolean;
  /** URLs that tenants give may lead to private and loopback addresses. */
  readonly dangerouslyAllowPrivateAddresses: boolean;
  readonly stopOnStdinEnd: boolean;
  /** Where the secrets of services are kept; without it, sealed in the tenants' databases. */
  readonly vault: VaultSettings | undefined;
  readonly telemetry: TelemetrySettings;
}

/** Lists every problem of the environment at once, never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_configuration';

  constructor(readonly problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

const readText = (path: string): string => readFileSync(path, 'utf8');

/** Reads what it is given, and the files that this names. An empty variable counts as not set. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, readFile = readText): Config {
  const known = Object.keys(environmentSchema.shape);
  const files = readSecretFiles(env, { secrets: secretVariables, known, readFile });
  const set = Object.fromEntries(Object.entries(files.env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(set);
  const unread = new Set(files.problems.map((problem) => problem.slice(0, problem.indexOf('_FILE:'))));
  const problems = [
    ...files.problems,
    ...(parsed.error?.issues ?? [])
      .filter((issue) => !unread.has(String(issue.path[0])))
      .map((issue) => describe(String(issue.path[0]), issue.message, set)),
  ];
  const tls = { certFile: set['AUTHSEC_TLS_CERT_FILE'], keyFile: set['AUTHSEC_TLS_KEY_FILE'] };
  const tlsProblem = findTlsProblem(tls, readFile);
  if (tlsProblem) problems.push(tlsProblem);
  if (isPlainHttp(set['AUTHSEC_URL']) && !['1', 'true'].includes(set['AUTHSEC_DANGEROUSLY_ALLOW_HTTP'] ?? '')) {
    problems.push('AUTHSEC_URL: must be https; AUTHSEC_DANGEROUSLY_ALLOW_HTTP=1 allows http for development');
  }
  problems.push(...findVaultProblems(set, readFile));
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
    tls: tls.certFile && tls.keyFile ? { certFile: tls.certFile, keyFile: tls.keyFile } : undefined,
    migrateOnStart: values.AUTHSEC_MIGRATE_ON_START,
    logLevel: values.AUTHSEC_LOG_LEVEL,
    trustedProxies: values.AUTHSEC_TRUSTED_PROXIES,
    maxOpenTenants: values.AUTHSEC_MAX_OPEN_TENANTS,
    historyDays: values.AUTHSEC_HISTORY_DAYS,
    dangerouslyAllowHttp: values.AUTHSEC_DANGEROUSLY_ALLOW_HTTP,
    dangerouslyAllowPrivateAddresses: values.AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES,
    stopOnStdinEnd: values.AUTHSEC_STOP_ON_STDIN_END,
    vault: toVaultSettings(values, readFile),
    telemetry: telemetrySettingsOf(values),
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
