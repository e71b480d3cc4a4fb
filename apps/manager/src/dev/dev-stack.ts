import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPostgres, type PostgresServer } from '@authsec/config/embedded-postgres';
import { findOpenBao } from '@authsec/config/openbao';
import { demoEnv, inheritedEnv, managerEnv } from './child-environment.js';
import { createChildOutput } from './child-output.js';
import { startDevChild, type DevChild } from './dev-child.js';
import { deriveDevCredentials } from './dev-credentials.js';
import { DevError } from './dev-error.js';
import { describeProviders } from './describe-providers.js';
import { describeDevStack, writeDevFile, type DevFile, type DevUrls } from './dev-file.js';
import type { DevSettings, VaultSettings } from './dev-settings.js';
import { type DevVault, provisionDevVault, type ProvisionedVault, startDevVault } from './dev-vault.js';
import { installOpenBao } from './install-openbao.js';
import { claimPort } from './ports.js';
import { currentSeedMark, isSameMark, readSeedMark, writeSeedMark } from './seed-mark.js';
import { seedServices } from './seed-services.js';
import { openStateDirectory, type StateDirectory } from './state-directory.js';
import type { StopRequest } from './stop-request.js';

const host = '127.0.0.1';
const readyWithinMs = 60_000;
const anyPort = { setting: '', owner: 'PostgreSQL', patienceMs: 0 };

export interface RunningStack {
  postgres?: Promise<PostgresServer>;
  vault?: Promise<DevVault>;
  readonly children: DevChild[];
}

export interface DevStackContext {
  readonly settings: DevSettings;
  readonly request: StopRequest;
  readonly print: (line: string) => void;
  /** Gets what is started as soon as it is, so that it can be stopped. */
  readonly running: RunningStack;
  /** How long to wait for ports that an instance before this one may be giving up. */
  readonly portPatienceMs: number;
}

type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Starts everything in order and writes dev.json when all of it is ready. Ends early with Stopped. */
export async function startDevStack(context: DevStackContext): Promise<DevFile> {
  const { settings, request, print, portPatienceMs: patienceMs } = context;
  const step: Step = async (name, work) => {
    const start = performance.now();
    const result = await request.unlessStopped(work());
    print(`${name.padEnd(26)} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return result;
  };
  const managerPort = await claimPort({
    port: settings.managerPort,
    setting: 'AUTHSEC_MANAGER_PORT',
    owner: 'the Manager',
    patienceMs,
  });
  const demoPort = await claimPort({
    port: settings.demoPort,
    setting: 'AUTHSEC_DEMO_PORT',
    owner: 'the demo MCP server',
    patienceMs,
  });
  const providerPort = await claimProviderPort(settings.identityProviderPort, patienceMs);
  const urls: DevUrls = {
    manager: `http://${host}:${managerPort}`,
    demo: `http://${host}:${demoPort}`,
    providers: `http://${host}:${providerPort}`,
  };
  const state = await openStateDirectory(settings.directory);
  const credentials = deriveDevCredentials(state);
  const mark = await readSeedMark(state);
  const postgres = await step('PostgreSQL is up', () =>
    startDevPostgres(context, state, credentials.postgresPassword, mark?.port),
  );
  const expected = await currentSeedMark(state, postgres.url, urls);
  if (!isSameMark(mark, expected)) {
    await step('Databases are seeded', async () => {
      const { seedDatabases } = await import('./seed.js');
      await seedDatabases({ databaseUrl: masterUrlOn(postgres.url), serverUrl: postgres.url, credentials, urls });
      await writeSeedMark(state, expected);
    });
  }
  const databaseUrl = masterUrlOn(postgres.url);
  const vault = settings.vault && (await prepareVault(context, settings.vault, state, step));
  const file = describeDevStack(urls, credentials, vault?.address);
  startChild(
    context,
    state,
    'manager',
    'main.js',
    managerEnv({ urls, credentials, databaseUrl, logLevel: settings.logLevel, vault: vault?.managerEnv ?? {} }),
  );
  startChild(context, state, 'identity-provider', 'dev/identity-provider.js', {
    AUTHSEC_DEV_IDENTITY_PROVIDER: JSON.stringify(describeProviders(urls, credentials)),
  });
  startChild(context, state, 'demo', '../../demo-mcp/dist/main.js', demoEnv(file, urls));
  await step('Manager is ready', () => waitUntilReady(`${urls.manager}/readyz`));
  await step('Services are there', () =>
    seedServices({ state, urls, credentials, serverUrl: postgres.url, vault, mark: expected }),
  );
  await step('Demo MCP server is ready', () => waitUntilReady(`${urls.demo}/healthz`));
  await step('Identity providers are ready', () => waitUntilReady(`${urls.providers}/healthz`));
  await writeDevFile(state.devFile, file);
  return file;
}

/** Its usual port may be taken: nobody has to know it. One that was asked for must be free. */
function claimProviderPort(port: number | undefined, patienceMs: number): Promise<number> {
  const request = { setting: 'AUTHSEC_IDENTITY_PROVIDER_PORT', owner: 'the identity providers', patienceMs };
  if (port !== undefined) return claimPort({ ...request, port });
  return claimPort({ ...request, port: 4702 }).catch(() => claimPort({ ...request, port: 0 }));
}

async function startDevPostgres(
  { running, request }: DevStackContext,
  state: StateDirectory,
  password: string,
  lastPort: number | undefined,
): Promise<PostgresServer> {
  const log = createWriteStream(join(state.logs, 'postgres.log'), { flags: 'w', mode: 0o600 }).on('error', () => {});
  const port = lastPort ? await claimPort({ port: lastPort, ...anyPort }).catch(() => 0) : 0;
  const onLog = (line: string) => log.write(`${line}\n`);
  running.postgres = startPostgres({
    directory: state.cluster,
    password,
    port,
    announcement: state.devFile,
    onLog,
  });
  const server = await running.postgres;
  void server.ended.then(() => request.stop({ message: 'PostgreSQL ended: stopping', failed: true }));
  return server;
}

/** Its start, what the Manager needs in it, and who ends with it. */
async function prepareVault(
  { running, request }: DevStackContext,
  { standing, port }: VaultSettings,
  state: StateDirectory,
  step: Step,
): Promise<ProvisionedVault> {
  if (!standing && findOpenBao() === undefined) await step('OpenBao is installed', () => installOpenBao(process.env));
  const vault = await step('Vault is up', () => (running.vault = startDevVault({ state, standing, port })));
  void vault.server?.ended.then(() => request.stop({ message: 'OpenBao ended: stopping', failed: true }));
  return step('Vault is provisioned', () => provisionDevVault(vault));
}

function startChild(
  context: DevStackContext,
  state: StateDirectory,
  name: string,
  script: string,
  env: Record<string, string>,
): void {
  const all = context.settings.verbose || (name === 'demo' && Boolean(process.env['AUTHSEC_DEBUG']));
  const output = createChildOutput({ name, all, print: context.print });
  const child = startDevChild({
    name,
    script: fileURLToPath(new URL(`../${script}`, import.meta.url)),
    env: { ...inheritedEnv(process.env), ...env, AUTHSEC_STOP_ON_STDIN_END: '1' },
    logFile: join(state.logs, `${name}.log`),
    onLine: output.take,
  });
  register(context, child, output.tail);
}

/** The end of any child is the end of all. */
function register({ running, request }: DevStackContext, child: DevChild, tail: () => readonly string[]): void {
  running.children.push(child);
  void child.ended.then((how) => {
    const lines = tail().map((line) => `  ${line}`);
    request.stop({ message: [`${child.name} ended (${how}): stopping`, ...lines].join('\n'), failed: true });
  });
}

async function waitUntilReady(url: string): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await delay(50);
  }
  throw new DevError(`${url} was not ready within ${readyWithinMs / 1000} s; see the logs`);
}

function masterUrlOn(serverUrl: string): string {
  const url = new URL(serverUrl);
  url.pathname = '/authsec';
  return url.href;
}
