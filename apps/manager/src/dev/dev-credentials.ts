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
  password(email: string): string;
  /** `name`: which of the tenant's applications. */
  client(tenantId: string, name: 'demo-mcp' | 'dev-admin'): ClientCredentials;
}

export function deriveDevCredentials({ derive }: Pick<StateDirectory, 'derive'>): DevCredentials {
  return {
    postgresPassword: derive('postgres').toString('hex'),
    sealingKey: { id: 'dev', key: new Secret(derive('sealing').toString('base64')) },
    cookieKeys: derive('cookies').toString('hex'),
    password: (email) => formatPassword(derive(`password/${email}`)),
    client: (tenantId, name) => ({
      clientId: name,
      clientSecret: derive(`client/${tenantId}/${name}`).toString('base64url'),
    }),
  };
}

/** 80 bits that can be read out and typed. */
function formatPassword(bytes: Buffer): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789x';
  const text = Array.from(bytes.subarray(0, 16), (byte) => letters[byte % 32]).join('');
  return text.replace(/(.{4})(?=.)/g, '$1-');
}
