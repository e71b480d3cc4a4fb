import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DevError } from './dev-error.js';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);

const schema = z.object({
  AUTHSEC_MANAGER_PORT: port(4700),
  AUTHSEC_DEMO_PORT: port(4701),
  AUTHSEC_IDENTITY_PROVIDER_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  AUTHSEC_VAULT_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  VAULT_ADDR: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  VAULT_TOKEN: z.string().optional(),
  VAULT_NAMESPACE: z.string().optional(),
  AUTHSEC_DEV_DIRECTORY: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL('../../../../.authsec', import.meta.url))),
  AUTHSEC_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
});

export interface DevSettings {
  /** 0 takes a free one; so for `demoPort`. */
  readonly managerPort: number;
  readonly demoPort: number;
  /** Undefined: 4702 where that is free, else any. */
  readonly identityProviderPort: number | undefined;
  /** Where the secrets are kept; undefined: sealed in the tenants' databases. */
  readonly vault: VaultSettings | undefined;
  /** Where everything that outlives a start is kept. */
  readonly directory: string;
  readonly logLevel: string;
  /** Begin anew: the databases and secrets of earlier starts are deleted. */
  readonly reset: boolean;
  /** Every log line on the terminal, not only warnings. */
  readonly verbose: boolean;
}

export interface VaultSettings {
  /** What `VAULT_ADDR` names, with the token of an operator; undefined: an OpenBao is started. */
  readonly standing: { readonly address: string; readonly token: string; readonly namespace?: string } | undefined;
  /** Undefined: 4703 where that is free, else any. */
  readonly port: number | undefined;
}

/** Throws a DevError that names the setting or argument that is wrong. */
export function readDevSettings(args: readonly string[], env: NodeJS.ProcessEnv): DevSettings {
  const flags = readFlags(args);
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    throw new DevError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  }
  const values = parsed.data;
  if (values.AUTHSEC_MANAGER_PORT === values.AUTHSEC_DEMO_PORT && values.AUTHSEC_DEMO_PORT !== 0) {
    throw new DevError('AUTHSEC_MANAGER_PORT and AUTHSEC_DEMO_PORT must differ');
  }
  const { vault, ...others } = flags;
  return {
    vault: vault ? readVaultSettings(values) : undefined,
    managerPort: values.AUTHSEC_MANAGER_PORT,
    demoPort: values.AUTHSEC_DEMO_PORT,
    identityProviderPort: values.AUTHSEC_IDENTITY_PROVIDER_PORT,
    directory: resolve(values.AUTHSEC_DEV_DIRECTORY),
    logLevel: values.AUTHSEC_LOG_LEVEL,
    ...others,
  };
}

function readVaultSettings(values: z.output<typeof schema>): VaultSettings {
  const { VAULT_ADDR: address, VAULT_TOKEN: token, VAULT_NAMESPACE: namespace, AUTHSEC_VAULT_PORT: port } = values;
  if (address === undefined) return { standing: undefined, port };
  if (token === undefined) {
    throw new DevError('VAULT_ADDR needs VAULT_TOKEN, of an operator: it makes the policies and logins of the Manager');
  }
  return { standing: { address, token, ...(namespace !== undefined && { namespace }) }, port };
}

function readFlags(args: readonly string[]): { reset: boolean; verbose: boolean; vault: boolean } {
  try {
    const { values } = parseArgs({
      args: args.filter((arg) => arg !== '--'),
      options: {
        reset: { type: 'boolean', default: false },
        vault: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new DevError(`${(error as Error).message}\nusage: pnpm dev [--vault] [--reset] [--verbose]`);
  }
}
