import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startOpenBao, type OpenBaoServer } from '@authsec/config/openbao';
import { DevError } from './dev-error.js';
import { claimPort } from './ports.js';
import { writePrivateFile, type StateDirectory } from './state-directory.js';

/** The Vault of the development stack, and who may do everything in it. */
export interface DevVault {
  readonly address: string;
  readonly operatorToken: string;
  readonly namespace?: string;
  /** Where it is not ours. */
  readonly server: OpenBaoServer | undefined;
}

/** Ready for the Manager. */
export interface ProvisionedVault {
  readonly address: string;
  /** The settings of the Manager for it. */
  readonly managerEnv: Readonly<Record<string, string>>;
  /** The same as long as it keeps what was written; undefined where nobody knows. */
  readonly identity: string | undefined;
}

export interface DevVaultOptions {
  readonly state: StateDirectory;
  /** Undefined: one is started. */
  readonly standing: { readonly address: string; readonly token: string; readonly namespace?: string } | undefined;
  /** Undefined: 4703 where that is free, else any. */
  readonly port: number | undefined;
}

/** An OpenBao on files that outlive it, unsealed with the key that its first start wrote beside them; or what stands there. */
export async function startDevVault({ state, standing, port }: DevVaultOptions): Promise<DevVault> {
  if (standing) {
    const { address, token: operatorToken, namespace } = standing;
    return { address, operatorToken, server: undefined, ...(namespace !== undefined && { namespace }) };
  }
  const keysFile = join(state.vault, 'keys.json');
  const initialised = await readKeys(keysFile);
  // Without its keys nobody opens it again.
  if (!initialised) await rm(state.vault, { recursive: true, force: true });
  const log = createWriteStream(join(state.logs, 'vault.log'), { flags: 'w', mode: 0o600 }).on('error', () => {});
  const server = await startOpenBao({
    mode: 'raft',
    directory: state.vault,
    port: await claimVaultPort(port),
    onLog: (line) => log.write(`${line}\n`),
    ...(initialised && { initialised }),
  });
  if (!server) throw new DevError('OpenBao was installed, and is not found');
  const { address, rootToken, unsealKeys } = server;
  if (!initialised) await writePrivateFile(keysFile, JSON.stringify({ rootToken, unsealKeys }));
  return { address, operatorToken: rootToken, server };
}

type Keys = Pick<OpenBaoServer, 'rootToken' | 'unsealKeys'>;

async function readKeys(path: string): Promise<Keys | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Keys;
  } catch {
    return undefined;
  }
}

function claimVaultPort(port: number | undefined): Promise<number> {
  const request = { setting: 'AUTHSEC_VAULT_PORT', owner: 'OpenBao', patienceMs: 0 };
  if (port !== undefined) return claimPort({ ...request, port });
  return claimPort({ ...request, port: 4703 }).catch(() => 0);
}

export function provisionDevVault(_vault: DevVault, _state: StateDirectory): Promise<ProvisionedVault> {
  throw new DevError('not yet');
}
