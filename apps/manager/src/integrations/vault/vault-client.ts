import nodeVault from 'node-vault';
import { SecretStoreError } from '../../ports/secret-store.js';
import type { VaultBreaker } from './vault-breaker.js';
import { assertVaultPath, type VaultPath } from './vault-paths.js';
import { createVaultTransport } from './vault-transport.js';

export interface VaultRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: VaultPath;
  /** For messages: what was tried, in words and ids only. */
  readonly what: string;
  /** KV version to read. */
  readonly version?: number | undefined;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The answer is then a wrapping token that lives so long. */
  readonly wrapSeconds?: number;
  /** Whose caller has gone is not begun; begun, it runs to its end or timeout, which tells how Vault is. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the connection's. */
  readonly timeoutMs?: number;
  /** Instead of the one for all of Vault. */
  readonly breaker?: Pick<VaultBreaker, 'run'>;
}

/** A client of its own per token: node-vault's logins change the token of the object that they are called on. */
export interface VaultClient {
  /** The parsed body, `undefined` without one. Rejects with SecretStoreError, which holds neither body nor token. */
  request(request: VaultRequest): Promise<unknown>;
}

export interface VaultConnection {
  as(token: string | undefined): VaultClient;
  /** `sys/health` as it stands, whatever its status. */
  health(): Promise<{ readonly status: number; readonly body: unknown }>;
  close(): Promise<void>;
}

export interface VaultConnectionOptions {
  readonly address: string;
  readonly namespace?: string | undefined;
  /** PEM. */
  readonly certificateAuthority?: string | undefined;
  /** Of each request; default 1 s. */
  readonly requestTimeoutMs?: number | undefined;
}

/** How a refusal reads beyond its status: what the callers must tell apart. */
export type VaultRefusal = 'status' | 'timeout' | 'unreachable' | 'sealed' | 'no_route' | 'gone';

/** Beside the failure, the HTTP status where there was one. */
export class VaultError extends SecretStoreError {
  constructor(
    failure: SecretStoreError['failure'],
    message: string,
    readonly refusal: VaultRefusal,
    readonly status?: number,
  ) {
    super(failure, message);
  }
}

/** The only user of node-vault. */
export function connectVault(options: VaultConnectionOptions): VaultConnection {
  const { address, namespace = '', certificateAuthority, requestTimeoutMs = 1_000 } = options;
  const transport = createVaultTransport({ certificateAuthority, requestTimeoutMs });
  const open = (token = '') => {
    const client = nodeVault({
      endpoint: address,
      // Its own prints paths and bodies where DEBUG names it.
      debug: () => {},
      'request-promise': { defaults: () => transport.send },
    });
    // Where an option is empty it takes the process's environment.
    return Object.assign(client, { token, namespace, pathPrefix: '' });
  };
  return {
    as(token) {
      const client = open(token);
      return {
        async request({ method, path, what, version, body, wrapSeconds, timeoutMs }) {
          assertVaultPath(path);
          if (version !== undefined && !Number.isSafeInteger(version)) throw new TypeError('version: must be a number');
          try {
            return (await client.request({
              method,
              path: version === undefined ? `/${path}` : `/${path}?version=${version}`,
              headers: wrapSeconds === undefined ? {} : { 'X-Vault-Wrap-TTL': `${wrapSeconds}s` },
              ...(body && { json: body }),
              ...(timeoutMs !== undefined && { timeout: timeoutMs }),
            })) as unknown;
          } catch (error) {
            throw translate(error, what);
          }
        },
      };
    },
    async health() {
      const answer = await transport
        .send({ method: 'GET', uri: `${address.replace(/\/$/, '')}/v1/sys/health` })
        .catch((error: unknown) => {
          throw translate(error, 'asking for its health');
        });
      return { status: answer.statusCode, body: answer.body };
    },
    close: () => transport.close(),
  };
}

/** Nothing of the body goes on: what Vault's errors quote may be secret. */
function translate(error: unknown, what: string): VaultError {
  const { response } = error as { response?: { statusCode: number; body: unknown } };
  if (!response) {
    const { name, code = name } = error as { name?: string; code?: string };
    const late = /timeout|abort/i.test(`${name} ${code}`);
    const message = late ? `${what}: Vault did not answer in time` : `${what}: Vault cannot be reached (${code})`;
    return new VaultError('unavailable', message, late ? 'timeout' : 'unreachable');
  }
  const { statusCode: status, body } = response;
  const said = JSON.stringify((body as { errors?: unknown } | undefined)?.errors ?? '');
  const refuse = (failure: SecretStoreError['failure'], why: string, refusal: VaultRefusal = 'status') =>
    new VaultError(failure, `${what}: Vault answered ${status}${why}`, refusal, status);
  if (status === 400 && said.includes('check-and-set')) return refuse('conflict', ', another version is there');
  if (status === 400 && /unknown role|lease not found|invalid lease/.test(said)) return refuse('missing', '', 'gone');
  if (status === 404 && said.includes('no handler for route')) return refuse('denied', ', no such mount', 'no_route');
  if (status === 404) return refuse('missing', '');
  if (status === 405) return refuse('unsupported', '');
  if (status >= 400 && status < 500 && ![408, 412, 429, 472, 473].includes(status)) return refuse('denied', '');
  if (status === 503 && said.includes('sealed')) return refuse('unavailable', ', it is sealed', 'sealed');
  return refuse('unavailable', status < 400 ? ', a standby that sends elsewhere' : '');
}
