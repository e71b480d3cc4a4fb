import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from '../../config/load-config.js';
import { Secret } from '../../config/secret.js';
import type { VaultLogin } from '../../config/vault-settings.js';
import { SecretStoreError } from '../../ports/secret-store.js';
import type { VaultClient } from './vault-client.js';
import { vaultPath } from './vault-paths.js';

export interface VaultToken {
  readonly token: string;
  /** 0: it does not end. */
  readonly ttlSeconds: number;
  readonly renewable: boolean;
  readonly policies: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Requests with the token that is given, or with none. */
export type ConnectAs = (token: string | undefined) => VaultClient;

const authSchema = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    lease_duration: z.number(),
    renewable: z.boolean(),
    policies: z.array(z.string()).nullish(),
    metadata: z.record(z.string(), z.string()).nullish(),
  }),
});
const lookupSchema = z.object({
  data: z.object({
    ttl: z.number(),
    renewable: z.boolean().nullish(),
    policies: z.array(z.string()),
    identity_policies: z.array(z.string()).nullish(),
  }),
});
const wrapLookupSchema = z.object({ data: z.object({ creation_path: z.string() }) });
const secretIdSchema = z.object({ data: z.object({ secret_id: z.string().min(1) }) });

/** An answer that has another shape is not of Vault. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new SecretStoreError('foreign', `${what}: the answer is not one of Vault`);
}

export function readToken(answer: unknown, what: string): VaultToken {
  const { auth } = readAnswer(authSchema, answer, what);
  return {
    token: auth.client_token,
    ttlSeconds: auth.lease_duration,
    renewable: auth.renewable,
    policies: auth.policies ?? [],
    metadata: auth.metadata ?? {},
  };
}

export async function lookUpToken(client: VaultClient, token: string, signal?: AbortSignal): Promise<VaultToken> {
  const what = 'looking up its own token';
  const answer = await client.request({ method: 'GET', path: vaultPath('auth/token/lookup-self'), what, signal });
  const { data } = readAnswer(lookupSchema, answer, what);
  return {
    token,
    ttlSeconds: data.ttl,
    renewable: data.renewable ?? false,
    policies: [...data.policies, ...(data.identity_policies ?? [])],
    metadata: {},
  };
}

/** How the Manager itself comes in, each time anew. */
export function createLogin(login: VaultLogin, connectAs: ConnectAs): () => Promise<VaultToken> {
  const logIn = async (mount: string, what: string, body: Readonly<Record<string, string>>): Promise<VaultToken> => {
    const path = vaultPath('auth', mount, 'login');
    return readToken(await connectAs(undefined).request({ method: 'POST', path, what, body }), what);
  };
  if (login.method === 'token') {
    const token = login.token.reveal();
    return () => lookUpToken(connectAs(token), token);
  }
  if (login.method === 'kubernetes') {
    return async () => {
      const what = 'the Kubernetes login';
      // The kubelet replaces it well before it ends.
      const jwt = await readFile(login.tokenFile, 'utf8').catch(() => {
        throw new SecretStoreError('denied', `${what}: ${login.tokenFile} cannot be read`);
      });
      return logIn(login.mount, what, { role: login.role, jwt: jwt.trim() });
    };
  }
  const secretId = createSecretIdSource(login, connectAs);
  return async () =>
    logIn(login.mount, 'the AppRole login', { role_id: login.roleId, secret_id: (await secretId()).reveal() });
}

type AppRoleLogin = Extract<VaultLogin, { method: 'approle' }>;

/** A wrapped secret id is unwrapped once and kept in memory. */
export function createSecretIdSource(login: AppRoleLogin, connectAs: ConnectAs): () => Promise<Secret> {
  const { mount, secretId, wrappedSecretId } = login;
  if (secretId) return async () => secretId;
  if (!wrappedSecretId) throw new TypeError('login: must have a secret id or a wrapped one');
  let unwrapped: Promise<Secret> | undefined;
  return async () => {
    unwrapped ??= unwrapSecretId(connectAs, mount, wrappedSecretId);
    try {
      return await unwrapped;
    } catch (error) {
      // Not unwrapped yet: Vault did not answer.
      if (error instanceof SecretStoreError && error.failure === 'unavailable') unwrapped = undefined;
      throw error;
    }
  };
}

/** A wrapping token that others opened before, or that wraps something else, says that someone stands in between. */
async function unwrapSecretId(connectAs: ConnectAs, mount: string, wrapped: Secret): Promise<Secret> {
  const what = 'unwrapping the secret id';
  const token = wrapped.reveal();
  const refuse = (problem: string): ConfigError => new ConfigError([`AUTHSEC_VAULT_WRAPPED_SECRET_ID: ${problem}`]);
  try {
    const path = vaultPath('sys/wrapping/lookup');
    const looked = await connectAs(undefined).request({ method: 'POST', path, what, body: { token } });
    const { creation_path: madeAt } = readAnswer(wrapLookupSchema, looked, what).data;
    if (!isSecretIdPath(madeAt, mount)) {
      throw refuse(`was made at ${JSON.stringify(madeAt)}, not as a secret id of auth/${mount}`);
    }
    const answer = await connectAs(token).request({ method: 'POST', path: vaultPath('sys/wrapping/unwrap'), what });
    return new Secret(readAnswer(secretIdSchema, answer, what).data.secret_id);
  } catch (error) {
    if (!(error instanceof SecretStoreError) || error.failure !== 'denied') throw error;
    throw refuse('was used before or has run out: if nobody of yours used it, someone else has the secret id');
  }
}

function isSecretIdPath(path: string, mount: string): boolean {
  const prefix = `auth/${mount}/role/`;
  return path.startsWith(prefix) && /^[^/]+\/secret-id$/.test(path.slice(prefix.length));
}
