import { z } from 'zod';
import { Secret } from './secret.js';

export interface VaultSettings {
  readonly address: string;
  readonly namespace: string | undefined;
  /** PEM. */
  readonly certificateAuthority: string | undefined;
  readonly login: VaultLogin;
  readonly mounts: { readonly secrets: string; readonly databases: string; readonly tenants: string };
  readonly transit: { readonly mount: string; readonly key: string };
  readonly dangerouslyAllowRootToken: boolean;
}

export type VaultLogin =
  | { readonly method: 'token'; readonly token: Secret }
  | { readonly method: 'kubernetes'; readonly mount: string; readonly role: string; readonly tokenFile: string }
  | {
      readonly method: 'approle';
      readonly mount: string;
      readonly roleId: string;
      /** Exactly one of the two. */
      readonly secretId?: Secret | undefined;
      readonly wrappedSecretId?: Secret | undefined;
    };

const secret = z.string().transform((value) => new Secret(value));
const path = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/,
    'must be a path without a slash at its ends',
  );

/** The part of the environment that is about Vault; without VAULT_ADDR there is none. */
export const vaultEnvironment = {
  VAULT_ADDR: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .refine((value) => {
      if (!URL.canParse(value)) return true;
      const url = new URL(value);
      return !url.search && !url.hash && !url.username && !url.password;
    }, 'must have no credentials, query or fragment')
    .transform((value) => value.replace(/\/+$/, ''))
    .optional(),
  VAULT_NAMESPACE: z
    .string()
    .regex(/^[A-Za-z0-9_./-]{1,200}$/, 'must be the path of a namespace')
    .optional(),
  VAULT_CACERT: z.string().optional(),
  VAULT_TOKEN: secret.optional(),
  AUTHSEC_VAULT_AUTH: z
    .enum(['approle', 'kubernetes', 'token'], 'must be approle, kubernetes or token')
    .default('approle'),
  AUTHSEC_VAULT_AUTH_MOUNT: path.optional(),
  AUTHSEC_VAULT_ROLE_ID: z.string().optional(),
  AUTHSEC_VAULT_SECRET_ID: secret.optional(),
  AUTHSEC_VAULT_WRAPPED_SECRET_ID: secret.optional(),
  AUTHSEC_VAULT_KUBERNETES_ROLE: z.string().optional(),
  AUTHSEC_VAULT_KUBERNETES_TOKEN_FILE: z.string().default('/var/run/secrets/kubernetes.io/serviceaccount/token'),
  AUTHSEC_VAULT_MOUNT: path.default('authsec'),
  AUTHSEC_VAULT_DATABASE_MOUNT: path.optional(),
  AUTHSEC_VAULT_TRANSIT_KEY: path.regex(/\//, 'must be <mount>/<key>').optional(),
  AUTHSEC_DANGEROUSLY_ALLOW_VAULT_ROOT_TOKEN: z
    .enum(['0', '1', 'false', 'true'], 'must be 0, 1, false or true')
    .default('0')
    .transform((value) => value === '1' || value === 'true'),
};

type VaultValues = z.output<z.ZodObject<typeof vaultEnvironment>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Those that say nothing by default. */
const ownVariables: Readonly<Record<VaultLogin['method'], readonly string[]>> = {
  approle: ['AUTHSEC_VAULT_ROLE_ID', 'AUTHSEC_VAULT_SECRET_ID', 'AUTHSEC_VAULT_WRAPPED_SECRET_ID'],
  kubernetes: ['AUTHSEC_VAULT_KUBERNETES_ROLE'],
  token: ['VAULT_TOKEN'],
};

/** What does not fit together; said also where single values are wrong. */
export function findVaultProblems(set: Environment, readFile: (path: string) => string): readonly string[] {
  const address = set['VAULT_ADDR'];
  if (address === undefined) {
    const orphans = [...ownVariables.approle, ...ownVariables.kubernetes].filter((name) => name in set);
    const wrapped = /:vault:v/.test(set['AUTHSEC_SEALING_KEYS'] ?? '') ? ['AUTHSEC_SEALING_KEYS'] : [];
    return [...orphans, ...wrapped].map((name) => `VAULT_ADDR: is required where ${name} needs a Vault`);
  }
  const problems: string[] = [];
  if (isPlainHttpElsewhere(address) && !['1', 'true'].includes(set['AUTHSEC_DANGEROUSLY_ALLOW_HTTP'] ?? '')) {
    problems.push('VAULT_ADDR: must be https, or lead to this machine; AUTHSEC_DANGEROUSLY_ALLOW_HTTP=1 allows http');
  }
  const method = (set['AUTHSEC_VAULT_AUTH'] ?? 'approle') as VaultLogin['method'];
  const [need, ...others] = ownVariables[method] ?? [];
  if (need !== undefined && !(need in set)) problems.push(`${need}: is required with AUTHSEC_VAULT_AUTH=${method}`);
  if (method === 'approle' && others.filter((name) => name in set).length !== 1) {
    problems.push(
      'AUTHSEC_VAULT_SECRET_ID: is required with AUTHSEC_VAULT_AUTH=approle, or AUTHSEC_VAULT_WRAPPED_SECRET_ID, not both',
    );
  }
  for (const [other, names] of Object.entries(ownVariables)) {
    const stray = other === method ? [] : names.filter((name) => name.startsWith('AUTHSEC_') && name in set);
    problems.push(...stray.map((name) => `${name}: is not used with AUTHSEC_VAULT_AUTH=${method}`));
  }
  const authorities = readAuthorities(set['VAULT_CACERT'], readFile);
  if (set['VAULT_CACERT'] !== undefined && !authorities?.includes('-----BEGIN CERTIFICATE-----')) {
    problems.push('VAULT_CACERT: must be a file with PEM certificates');
  }
  return problems;
}

/** Of an environment in which `findVaultProblems` found none. */
export function toVaultSettings(values: VaultValues, readFile: (path: string) => string): VaultSettings | undefined {
  if (values.VAULT_ADDR === undefined) return undefined;
  const secrets = values.AUTHSEC_VAULT_MOUNT;
  const transit = values.AUTHSEC_VAULT_TRANSIT_KEY ?? `${secrets}-transit/sealing-keys`;
  return {
    address: values.VAULT_ADDR,
    namespace: values.VAULT_NAMESPACE,
    certificateAuthority: readAuthorities(values.VAULT_CACERT, readFile),
    login: toLogin(values),
    mounts: {
      secrets,
      databases: values.AUTHSEC_VAULT_DATABASE_MOUNT ?? `${secrets}-database`,
      tenants: `${secrets}-tenants`,
    },
    transit: {
      mount: transit.slice(0, transit.lastIndexOf('/')),
      key: transit.slice(transit.lastIndexOf('/') + 1),
    },
    dangerouslyAllowRootToken: values.AUTHSEC_DANGEROUSLY_ALLOW_VAULT_ROOT_TOKEN,
  };
}

function toLogin(values: VaultValues): VaultLogin {
  const method = values.AUTHSEC_VAULT_AUTH;
  const mount = values.AUTHSEC_VAULT_AUTH_MOUNT ?? method;
  if (method === 'token') return { method, token: values.VAULT_TOKEN ?? new Secret('') };
  if (method === 'kubernetes') {
    const { AUTHSEC_VAULT_KUBERNETES_ROLE: role = '', AUTHSEC_VAULT_KUBERNETES_TOKEN_FILE: tokenFile } = values;
    return { method, mount, role, tokenFile };
  }
  return {
    method,
    mount,
    roleId: values.AUTHSEC_VAULT_ROLE_ID ?? '',
    secretId: values.AUTHSEC_VAULT_SECRET_ID,
    wrappedSecretId: values.AUTHSEC_VAULT_WRAPPED_SECRET_ID,
  };
}

function readAuthorities(file: string | undefined, readFile: (path: string) => string): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFile(file);
  } catch {
    return undefined;
  }
}

function isPlainHttpElsewhere(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}
