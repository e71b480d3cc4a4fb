import { z } from 'zod';
import { type Config, ConfigError } from '../../config/load-config.js';
import { Secret } from '../../config/secret.js';
import { SecretStoreError } from '../../ports/secret-store.js';
import { connectVault, type VaultClient } from './vault-client.js';
import { createLogin, createSecretIdSource, readAnswer } from './vault-logins.js';
import { vaultPath } from './vault-paths.js';
import type { TransitKey } from './vault-policies.js';

const plaintextSchema = z.object({ data: z.object({ plaintext: z.string() }) });
const ciphertextSchema = z.object({ data: z.object({ ciphertext: z.string() }) });
/** A start waits longer than a call of a tool. */
const requestTimeoutMs = 5_000;

/**
 * Opens the sealing keys that are given as Vault's transit ciphertext, once, so that nothing waits for Vault later. Also
 * the wrapped secret id, which opens only once, is then replaced. Without such keys the configuration stays as it is.
 */
export async function unwrapSealingKeys(config: Config): Promise<Config> {
  const { vault, sealingKeys } = config;
  if (!vault || !sealingKeys.some(({ key }) => isWrapped(key))) return config;
  const connection = connectVault({ ...vault, requestTimeoutMs });
  const connectAs = (token: string | undefined): VaultClient => connection.as(token);
  try {
    const login =
      vault.login.method === 'approle'
        ? { ...vault.login, secretId: await createSecretIdSource(vault.login, connectAs)(), wrappedSecretId: undefined }
        : vault.login;
    const { token } = await createLogin(login, connectAs)();
    const opened = await Promise.all(
      sealingKeys.map(async ({ id, key }) => ({
        id,
        key: isWrapped(key) ? await unwrapSealingKey(connectAs(token), vault.transit, id, key) : key,
      })),
    );
    if (login.method !== 'token') await endToken(connectAs(token));
    return { ...config, sealingKeys: opened, vault: { ...vault, login } };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`AUTHSEC_SEALING_KEYS: ${error instanceof Error ? error.message : 'could not be opened'}`]);
  } finally {
    await connection.close();
  }
}

/** `vault:v1:…`, to stand in AUTHSEC_SEALING_KEYS behind `<id>:`; it opens under no other id. */
export async function wrapSealingKey(
  client: VaultClient,
  { mount, key }: TransitKey,
  id: string,
  base64OfKey: string,
): Promise<string> {
  const what = `wrapping sealing key ${id}`;
  const body = { plaintext: base64OfKey, associated_data: associatedData(id) };
  const answer = await client.request({ method: 'POST', path: vaultPath(mount, 'encrypt', key), what, body });
  return readAnswer(ciphertextSchema, answer, what).data.ciphertext;
}

async function unwrapSealingKey(
  client: VaultClient,
  transit: TransitKey,
  id: string,
  wrapped: Secret,
): Promise<Secret> {
  const what = `opening sealing key ${id}`;
  const body = { ciphertext: wrapped.reveal(), associated_data: associatedData(id) };
  const path = vaultPath(transit.mount, 'decrypt', transit.key);
  const answer = await client.request({ method: 'POST', path, what, body });
  const { plaintext } = readAnswer(plaintextSchema, answer, what).data;
  if (!/^[A-Za-z0-9+/]{43}=$/.test(plaintext)) {
    throw new SecretStoreError('foreign', `${what}: what Vault opened is not a key of 32 bytes`);
  }
  return new Secret(plaintext);
}

async function endToken(client: VaultClient): Promise<void> {
  const path = vaultPath('auth/token/revoke-self');
  await client.request({ method: 'POST', path, what: 'ending its own token', body: {} }).catch(() => {});
}

function isWrapped(key: Secret): boolean {
  return key.reveal().startsWith('vault:v');
}

function associatedData(id: string): string {
  return Buffer.from(`authsec/sealing-keys/${id}`).toString('base64');
}
