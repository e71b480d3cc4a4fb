import { z } from 'zod';
import { type SecretAddress, type SecretStore, SecretStoreError, type SecretValue } from '../../ports/secret-store.js';
import type { VaultClient } from './vault-client.js';
import { readAnswer } from './vault-logins.js';
import { placeOf, vaultPath } from './vault-paths.js';

export type AsTenant = <T>(
  tenantId: string,
  work: (client: VaultClient, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

const versionSchema = z.number().int().min(1);
const secretSchema = z.object({
  data: z.object({
    data: z.object({ address: z.string(), value: z.record(z.string(), z.string()) }),
    metadata: z.object({ version: versionSchema }),
  }),
});
const writtenSchema = z.object({ data: z.object({ version: versionSchema }) });
const metadataSchema = z.object({ data: z.object({ current_version: z.number().int().min(0) }) });

type Secrets = Pick<SecretStore, 'read' | 'currentVersion' | 'write' | 'destroyVersion' | 'destroy'>;

/** KV version 2. What is written says whose it is, and what is read must say so. */
export function createVaultSecrets(mount: string, asTenant: AsTenant): Secrets {
  const pathOf = (kind: 'data' | 'metadata' | 'destroy', address: SecretAddress) =>
    vaultPath(mount, kind, placeOf(address));

  return {
    async read(address, { version } = {}) {
      const path = pathOf('data', address);
      const what = `reading a secret of ${address.tenantId}`;
      assertVersion(version ?? 1);
      return asTenant(address.tenantId, async (client, signal) => {
        const answer = await client.request({ method: 'GET', path, what, version, signal });
        const { data, metadata } = readAnswer(secretSchema, answer, what).data;
        if (data.address !== placeOf(address) || (version !== undefined && metadata.version !== version)) {
          throw new SecretStoreError('foreign', `${what}: the answer is of another secret or version`);
        }
        return { value: data.value, version: metadata.version };
      });
    },

    async currentVersion(address) {
      const path = pathOf('metadata', address);
      const what = `asking for the version of a secret of ${address.tenantId}`;
      return asTenant(address.tenantId, async (client, signal) => {
        const answer = await client.request({ method: 'GET', path, what, signal }).catch(ifMissing(undefined));
        return answer === undefined ? 0 : readAnswer(metadataSchema, answer, what).data.current_version;
      });
    },

    async write(address, value, { expectedVersion }) {
      const path = pathOf('data', address);
      const what = `writing a secret of ${address.tenantId}`;
      if (expectedVersion !== 0) assertVersion(expectedVersion);
      const data = { address: placeOf(address), value: flat(value) };
      return asTenant(address.tenantId, async (client, signal) => {
        const body = { data, options: { cas: expectedVersion } };
        const answer = await client.request({ method: 'POST', path, what, body, signal });
        const { version } = readAnswer(writtenSchema, answer, what).data;
        if (version === expectedVersion + 1) return version;
        throw new SecretStoreError('foreign', `${what}: became another version than the next`);
      });
    },

    async destroyVersion(address, version) {
      const path = pathOf('destroy', address);
      const what = `destroying a version of a secret of ${address.tenantId}`;
      assertVersion(version);
      await asTenant(address.tenantId, (client, signal) =>
        client
          .request({ method: 'POST', path, what, body: { versions: [version] }, signal })
          .catch(ifMissing(undefined)),
      );
    },

    async destroy(address) {
      const path = pathOf('metadata', address);
      const what = `destroying a secret of ${address.tenantId}`;
      await asTenant(address.tenantId, (client, signal) =>
        client.request({ method: 'DELETE', path, what, signal }).catch(ifMissing(undefined)),
      );
    },
  };
}

/** For `catch`: what is missing is that, and not an error. */
export function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof SecretStoreError && error.failure === 'missing') return instead;
    throw error;
  };
}

function assertVersion(version: number): void {
  if (!Number.isSafeInteger(version) || version < 1) throw new SecretStoreError('missing', 'there is no such version');
}

function flat(value: SecretValue): SecretValue {
  const entries = Object.entries(value);
  if (entries.some(([, text]) => typeof text !== 'string')) throw new TypeError('value: must be names to text');
  return Object.fromEntries(entries);
}
