import { Secret } from '../config/secret.js';
import type { StateDirectory } from './state-directory.js';

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Every secret of the development stack, the same at each start until a reset. */
export interface DevCredentials {
  readonly postgresPassword: string;
  readonly sealingKey: { readonly id: string; readonly key: Secret };
  readonly cookieKeys: string;
  /** What the tenant's tools call the development API with. */
  gitHubToken(tenantId: string): string;
  /** Of the account that makes others in the tenant's reports. */
  reportsPassword(tenantId: string): string;
  password(email: string): string;
  /** `name`: which of the tenant's applications. */
  client(tenantId: string, name: 'demo-mcp' | 'dev-admin'): ClientCredentials;
  /** What the tenant is at one of its identity providers, and the id that its callback URL has. */
  identityProvider(tenantId: string, name: string): ClientCredentials & { readonly id: string };
}

export function deriveDevCredentials({ derive }: Pick<StateDirectory, 'derive'>): DevCredentials {
  return {
    postgresPassword: derive('postgres').toString('hex'),
    sealingKey: { id: 'dev', key: new Secret(derive('sealing').toString('base64')) },
    cookieKeys: derive('cookies').toString('hex'),
    gitHubToken: (tenantId) => `ghp_${derive(`service/${tenantId}/github`).toString('hex')}`,
    reportsPassword: (tenantId) => derive(`service/${tenantId}/reports`).toString('base64url'),
    password: (email) => formatPassword(derive(`password/${email}`)),
    client: (tenantId, name) => ({
      clientId: name,
      clientSecret: derive(`client/${tenantId}/${name}`).toString('base64url'),
    }),
    identityProvider: (tenantId, name) => ({
      id: formatUuid(derive(`identity-provider-id/${tenantId}/${name}`)),
      clientId: `authsec-${tenantId}`,
      clientSecret: derive(`identity-provider/${tenantId}/${name}`).toString('base64url'),
    }),
  };
}

/** Version 8 (RFC 9562): the bits are ours. */
function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** 80 bits that can be read out and typed. */
function formatPassword(bytes: Buffer): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789x';
  const text = Array.from(bytes.subarray(0, 16), (byte) => letters[byte % 32]).join('');
  return text.replace(/(.{4})(?=.)/g, '$1-');
}
