import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** What outlives a start of `pnpm dev`: the cluster, the secret from which all others are derived, logs, dev.json. */
export interface StateDirectory {
  readonly path: string;
  readonly cluster: string;
  /** Of the OpenBao that `--vault` starts: its files, and the keys that open them. */
  readonly vault: string;
  readonly logs: string;
  readonly devFile: string;
  readonly lockFile: string;
  /** The same label gives the same 32 bytes at each start, until a reset. */
  derive(label: string): Buffer;
}

/** Made where it is missing, readable by its owner only. */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  await mkdir(join(path, 'logs'), { recursive: true, mode: 0o700 });
  await restrict(path);
  const secret = await readOrCreateSecret(join(path, 'secret'));
  return {
    path,
    cluster: join(path, 'postgres'),
    vault: join(path, 'vault'),
    logs: join(path, 'logs'),
    devFile: join(path, 'dev.json'),
    lockFile: join(path, 'supervisor.lock'),
    derive: (label) => createHmac('sha256', secret).update(label).digest(),
  };
}

/** Deletes the databases and secrets of earlier starts; the lock stays with who holds it. */
export async function resetStateDirectory(path: string): Promise<void> {
  for (const entry of ['postgres', 'vault', 'secret', 'seeded', 'services', 'logs', 'dev.json']) {
    await rm(join(path, entry), { recursive: true, force: true });
  }
}

/** Readers find the old file or the whole new one, and nobody else reads it. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
}

async function restrict(path: string): Promise<void> {
  await chmod(path, 0o700);
}

async function readOrCreateSecret(path: string): Promise<Buffer> {
  const found = await readFile(path, 'utf8').catch(() => undefined);
  if (found && /^[0-9a-f]{64}$/.test(found)) return Buffer.from(found, 'hex');
  const secret = randomBytes(32);
  await writePrivateFile(path, secret.toString('hex'));
  return secret;
}
