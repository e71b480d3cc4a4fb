import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { takePort } from '@authsec/config/take-port';

/** Where the distribution keeps server and tools of one version; undefined where there are none. */
export function findInstalledPostgres(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = versions.map((version) => join(root, version, 'bin'));
  return folders.find((bin) =>
    ['initdb', 'postgres', 'pg_dumpall', 'pg_restore', 'psql'].every((tool) => existsSync(join(bin, tool))),
  );
}

/** A cluster of its own by the installed server. As root it runs as the user that the package made. */
export async function startInstalledPostgres(bin: string) {
  const folder = mkdtempSync(join(tmpdir(), 'authsec-installed-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  // It ends with the process that started it, in whatever way that ends.
  const asUser = ['/usr/bin/setpriv', ...user, '--pdeathsig=INT', '--'];
  // Of this cluster alone: what leads into another one does not lead into this.
  const password = randomBytes(16).toString('hex');
  writeFileSync(join(folder, 'password'), password);
  if (isRoot) {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
    chownSync(folder, id('-u'), id('-g'));
  }
  const command = (program: string, args: string[]) =>
    [...asUser, join(bin, program), ...args] as [string, ...string[]];
  const [initdb, ...initArgs] = command('initdb', [
    '-D',
    join(folder, 'data'),
    '-A',
    'scram-sha-256',
    '--pwfile',
    join(folder, 'password'),
    '-U',
    'postgres',
    '--no-sync',
  ]);
  execFileSync(initdb, initArgs, { stdio: 'ignore', cwd: folder });
  const port = await takePort(0);
  writeFileSync(
    join(folder, 'data/postgresql.auto.conf'),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = ''\nfsync = off\n`,
  );
  const [postgres, ...args] = command('postgres', ['-D', join(folder, 'data')]);
  const server = spawn(postgres, args, { stdio: 'ignore', cwd: folder });
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}`;
  const answers = () => {
    try {
      execFileSync(join(bin, 'psql'), ['-XAtc', 'SELECT 1', `${url}/postgres`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  while (!answers()) {
    if (server.exitCode !== null) throw new Error('the installed PostgreSQL did not start');
    await delay(100);
  }
  return {
    url: `${url}/postgres`,
    port,
    async stop() {
      if (server.exitCode !== null) return;
      const exited = once(server, 'exit');
      execFileSync('sh', ['-c', `kill -INT $(head -1 ${folder}/data/postmaster.pid)`]);
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
