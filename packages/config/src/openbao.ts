import { randomBytes } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOpenBao } from './find-openbao.js';
import { askOpenBao, waitForOpenBao } from './openbao-api.js';
import { runOpenBao, type OpenBaoProcess } from './openbao-process.js';
import { takePort } from './take-port.js';

export { findOpenBao } from './find-openbao.js';

export interface OpenBaoOptions {
  /** `dev`: in memory, unsealed. `raft`: in files, initialised and unsealed once, sealed again by a restart. */
  readonly mode: 'dev' | 'raft';
  /** Where its files live; without it, in a temporary folder that `stop` removes. */
  readonly directory?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Of `dev`; made up where it is missing. */
  readonly rootToken?: string;
  /** What the first start on these files told, where it was not this one: they are unsealed, and not made. */
  readonly initialised?: Pick<OpenBaoServer, 'rootToken' | 'unsealKeys'>;
  readonly onLog?: (line: string) => void;
}

export interface OpenBaoServer {
  readonly address: string;
  readonly rootToken: string;
  /** None in `dev`. */
  readonly unsealKeys: readonly string[];
  /** Of the process that runs now: resolves with its last lines, never rejects. */
  readonly ended: Promise<string>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Stops it and starts it on the same port and files: sealed then, unless it is `dev`, which forgets everything. */
  restart(): Promise<void>;
  /** To the server's own process, such as SIGSTOP and SIGCONT. */
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Undefined where there is no `bao` program. The server ends with this process, whatever ends it. */
export async function startOpenBao(options: OpenBaoOptions): Promise<OpenBaoServer | undefined> {
  const program = findOpenBao();
  if (program === undefined) return undefined;
  const { mode, onLog = () => {} } = options;
  const port = await takePort(options.port ?? 0);
  const address = `http://127.0.0.1:${port}`;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'authsec-openbao-')));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const devToken = options.rootToken ?? randomBytes(16).toString('hex');
  const args =
    mode === 'dev'
      ? ['-dev', `-dev-root-token-id=${devToken}`, `-dev-listen-address=127.0.0.1:${port}`, '-dev-no-store-token']
      : [`-config=${await writeConfig(directory, port)}`];

  const start = async (): Promise<OpenBaoProcess> => {
    const process = await runOpenBao(program, ['server', ...args], onLog);
    try {
      await waitForOpenBao(address, process.ended);
      return process;
    } catch (error) {
      await process.stop();
      throw error;
    }
  };
  let process = await start();
  const { rootToken, unsealKeys } =
    mode === 'dev' ? { rootToken: devToken, unsealKeys: [] } : (options.initialised ?? (await initialise(address)));

  const unseal = async (): Promise<void> => {
    for (const key of unsealKeys) await askOpenBao(address, 'PUT', 'sys/unseal', { body: { key } });
    await waitForOpenBao(address, process.ended, 'active');
  };
  await unseal();
  return {
    address,
    rootToken,
    unsealKeys,
    get ended() {
      return process.ended;
    },
    unseal,
    async seal() {
      await askOpenBao(address, 'PUT', 'sys/seal', { token: rootToken });
    },
    async restart() {
      await process.stop();
      process = await start();
    },
    signal: (name) => process.signal(name),
    async stop() {
      await process.stop();
      if (!options.directory) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function initialise(address: string): Promise<{ rootToken: string; unsealKeys: readonly string[] }> {
  const body = { secret_shares: 1, secret_threshold: 1 };
  const made = (await askOpenBao(address, 'PUT', 'sys/init', { body })) as { root_token: string; keys: string[] };
  return { rootToken: made.root_token, unsealKeys: made.keys };
}

async function writeConfig(directory: string, port: number): Promise<string> {
  const data = join(directory, 'data');
  await mkdir(data, { recursive: true });
  const clusterPort = await takePort(0);
  const path = join(directory, 'config.json');
  const config = {
    storage: { raft: { path: data, node_id: 'one', performance_multiplier: 1 } },
    listener: { tcp: { address: `127.0.0.1:${port}`, cluster_address: `127.0.0.1:${clusterPort}`, tls_disable: true } },
    api_addr: `http://127.0.0.1:${port}`,
    cluster_addr: `https://127.0.0.1:${clusterPort}`,
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
