import { execFileSync, spawnSync } from 'node:child_process';

export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
  /** What runs a command as that user, before the command. */
  readonly prefix: readonly string[];
}

/**
 * PostgreSQL refuses to run as root: the user `postgres`, made where it is missing; undefined when we are not root.
 * It keeps the right to pass through folders that only root may read, such as a clone below /root, where the system can give it.
 */
export function findPostgresUser(): PostgresUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (readId('-u') === undefined) {
    execFileSync('groupadd', ['--force', 'postgres'], { stdio: 'ignore' });
    execFileSync('useradd', ['--gid', 'postgres', 'postgres'], { stdio: 'ignore' });
  }
  const uid = readId('-u');
  const gid = readId('-g');
  if (uid === undefined || gid === undefined) throw new Error('there is no user postgres, and it could not be made');
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  for (const options of [[...identity, ...capability], identity]) {
    if (spawnSync('setpriv', [...options, 'true'], { stdio: 'ignore' }).status === 0) {
      return { uid, gid, prefix: ['setpriv', ...options] };
    }
  }
  return { uid, gid, prefix: [] };
}

function readId(flag: '-u' | '-g'): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}
