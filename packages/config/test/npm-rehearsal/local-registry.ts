import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface LocalRegistry {
  /** For npm and pnpm: this registry, a cache of its own, nobody's credentials. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** An npm registry of our own; what is not ours it fetches from the registry that npm is configured with. */
export async function startLocalRegistry(folder: string): Promise<LocalRegistry> {
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'], { cwd: folder });
  const storage = join(folder, 'storage');
  await mkdir(storage);
  const child = fork(join(import.meta.dirname, 'registry-process.js'), [storage, stdout.trim()], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const url = await Promise.race([
    once(child, 'message').then(([told]) => String(told)),
    once(child, 'exit').then(() => Promise.reject(new Error('the local registry did not start'))),
  ]);

  const userConfig = join(folder, 'npmrc');
  // npm publishes only with a token; to this registry nobody is as good as anybody.
  await writeFile(userConfig, `registry=${url}\n//${new URL(url).host}/:_authToken=nobody\n`);
  // Started by npm or pnpm, a process inherits their settings in either case of letters.
  const inherited = Object.entries(process.env).filter(([name]) => !/^p?npm_/i.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    NPM_CONFIG_USERCONFIG: userConfig,
    NPM_CONFIG_REGISTRY: url,
    NPM_CONFIG_CACHE: join(folder, 'cache'),
    NPM_CONFIG_AUDIT: 'false',
    NPM_CONFIG_FUND: 'false',
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  };
  return { env, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}
