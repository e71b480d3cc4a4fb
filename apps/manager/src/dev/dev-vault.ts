import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startOpenBao, type OpenBaoServer } from '@authsec/config/openbao';
import { provisionVault, vaultPlan, type VaultOperator } from '../integrations/vault/provision-vault.js';
import { DevError } from './dev-error.js';
import { claimPort } from './ports.js';
import { writePrivateFile, type StateDirectory } from './state-directory.js';

/** The Vault of the development stack, and who may do everything in it. */
export interface DevVault {
  readonly address: string;
  readonly operator: VaultOperator;
  /** Undefined where it is not ours. */
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
  readonly standing: VaultOperator | undefined;
  /** Undefined: 4703 where that is free, else any. */
  readonly port: number | undefined;
}

/** An OpenBao on files that outlive it, unsealed with the key that its first start wrote beside them; or what stands there. */
export async function startDevVault({ state, standing, port }: DevVaultOptions): Promise<DevVault> {
  if (standing) return { address: standing.address, operator: standing, server: undefined };
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
  return { address, operator: { address, token: rootToken }, server };
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

/** Mounts, policies and a login for the Manager, which never has the operator's token. */
export async function provisionDevVault({ address, operator, server }: DevVault): Promise<ProvisionedVault> {
  const { roleId, secretId } = await provisionVault(operator, vaultPlan());
  const { namespace } = operator;
  return {
    address,
    managerEnv: {
      VAULT_ADDR: address,
      ...(namespace !== undefined && { VAULT_NAMESPACE: namespace }),
      AUTHSEC_VAULT_ROLE_ID: roleId,
      AUTHSEC_VAULT_SECRET_ID: secretId,
    },
    identity: server && createHash('sha256').update(operator.token).digest('base64url'),
  };
}
