import { isIP } from 'node:net';
import { z } from 'zod';
import { Secret } from './secret.js';
import { vaultEnvironment } from './vault-settings.js';

const postgresUrl = z
  .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' })
  .transform((value) => new Secret(value));

const flagOr = (byDefault: '0' | '1') =>
  z
    .enum(['0', '1', 'false', 'true'], 'must be 0, 1, false or true')
    .default(byDefault)
    .transform((value) => value === '1' || value === 'true');
const flag = flagOr('0');

const numberFrom = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.coerce.number(error).int(error).min(least, error).max(most, error);
};

const list = (value: string) => value.split(',').map((entry) => entry.trim());

const sealingKeys = z.string().transform((value, context) => {
  const keys = list(value).map((entry) => {
    const [, id, key] =
      /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=|vault:v[1-9]\d{0,8}:[A-Za-z0-9+/]{20,500}={0,2})$/.exec(entry) ?? [];
    return id && key ? { id, key: new Secret(key) } : undefined;
  });
  if (keys.some((key) => !key) || new Set(keys.map((key) => key?.id)).size !== keys.length) {
    context.addIssue('must be <id>:<base64 of 32 bytes>[,…] with ids that differ, or <id>:vault:v1:<ciphertext>');
    return z.NEVER;
  }
  if (
    keys.some((key) => key?.key.reveal().length === 44 && isOneByteRepeated(Buffer.from(key.key.reveal(), 'base64')))
  ) {
    context.addIssue('is an example and no secret; openssl rand -base64 32 makes a key');
    return z.NEVER;
  }
  return keys.filter((key) => key !== undefined);
});

/** What examples and tests are filled with; of random bytes none is. */
function isOneByteRepeated(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === bytes[0]);
}

const cookieKeys = z.string().transform((value, context) => {
  const keys = list(value);
  if (keys.some((key) => key.length < 32)) {
    context.addIssue('each key must have at least 32 characters');
    return z.NEVER;
  }
  if (keys.some((key) => key.includes('change-me'))) {
    context.addIssue('is an example and no secret; openssl rand -hex 32 makes a key');
    return z.NEVER;
  }
  return keys.map((key) => new Secret(key));
});

const proxies = z
  .string()
  .default('')
  .transform((value) => list(value).filter((entry) => entry !== ''))
  .refine((entries) => entries.every(isAddressOrSubnet), 'must be addresses or subnets such as 10.0.0.0/8');

function isAddressOrSubnet(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    rest.length === 0 && bits > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}

const otlpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional();
const otlpOrNone = z.enum(['otlp', 'none'], 'must be otlp or none').default('otlp');

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The Manager's environment; docs/configuration.md and .env.example are held to it by a test. */
export const environmentSchema = z.object({
  AUTHSEC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .refine((value) => {
      if (!URL.canParse(value)) return true;
      const url = new URL(value);
      return !url.search && !url.hash && !url.username && !url.password;
    }, 'must have no credentials, query or fragment')
    .transform((value) => value.replace(/\/+$/, '')),
  AUTHSEC_HOST: z.string().min(1).default('127.0.0.1'),
  AUTHSEC_PORT: numberFrom(0, 65_535).default(4700),
  AUTHSEC_DATABASE_URL: postgresUrl,
  AUTHSEC_TENANT_DATABASE_URL: postgresUrl.optional(),
  AUTHSEC_SEALING_KEYS: sealingKeys,
  AUTHSEC_COOKIE_KEYS: cookieKeys,
  AUTHSEC_TLS_CERT_FILE: z.string().optional(),
  AUTHSEC_TLS_KEY_FILE: z.string().optional(),
  AUTHSEC_MIGRATE_ON_START: flagOr('1'),
  AUTHSEC_LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
  AUTHSEC_TRUSTED_PROXIES: proxies,
  AUTHSEC_MAX_OPEN_TENANTS: numberFrom(1, 10_000).default(50),
  AUTHSEC_HISTORY_DAYS: numberFrom(1, 36_500).optional(),
  AUTHSEC_METRICS_PORT: numberFrom(0, 65_535).optional(),
  AUTHSEC_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  AUTHSEC_METRICS_TENANT_LABEL: flag,
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: otlpUrl,
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: otlpUrl,
  OTEL_EXPORTER_OTLP_PROTOCOL: z.literal('http/protobuf', 'must be http/protobuf').optional(),
  OTEL_TRACES_EXPORTER: otlpOrNone,
  OTEL_METRICS_EXPORTER: otlpOrNone,
  OTEL_METRIC_EXPORT_INTERVAL: numberFrom(1_000, 86_400_000).default(60_000),
  OTEL_LOGS_EXPORTER: z.string().default('none'),
  AUTHSEC_DANGEROUSLY_ALLOW_HTTP: flag,
  AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: flag,
  AUTHSEC_STOP_ON_STDIN_END: flag,
  ...vaultEnvironment,
});

/** Those that may also be given as `<NAME>_FILE`. */
export const secretVariables = [
  'AUTHSEC_DATABASE_URL',
  'AUTHSEC_TENANT_DATABASE_URL',
  'AUTHSEC_SEALING_KEYS',
  'AUTHSEC_COOKIE_KEYS',
  'AUTHSEC_VAULT_SECRET_ID',
  'AUTHSEC_VAULT_WRAPPED_SECRET_ID',
  'VAULT_TOKEN',
] as const satisfies readonly (keyof typeof environmentSchema.shape)[];
