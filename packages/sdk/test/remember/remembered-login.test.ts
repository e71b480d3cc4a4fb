import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, createService, guarded, local, type Service } from '../support/caller.js';
import { until } from '../support/fake-clock.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let folder: string;
let stateFolder: string;
const services = new Set<Service>();
const children = new Set<ChildProcess>();

beforeEach(async () => {
  manager = await startFakeManager({ isPublic: true });
  folder = await mkdtemp(join(tmpdir(), 'authsec-remember-'));
  stateFolder = join(folder, 'authsec');
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await Promise.all([...services].map((service) => service.close()));
  services.clear();
  await manager.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a host starts: a process of its own as far as the login is concerned. */
function startServer(options: { rememberLogin?: boolean; clientId?: string } = {}) {
  const service = createService(manager, { rememberLogin: true, stateFolder, ...options });
  services.add(service);
  return { service, session: service.createSession(local()) };
}

async function signIn({ session }: ReturnType<typeof startServer>, sub = 'ada') {
  const started = await call(session, 'oauth_start');
  await (await fetch(manager.sendBack(started.authorization_url, sub))).text();
  return call(session, 'oauth_authenticate', { session_id: started.session_id });
}

const kept = async () => (await readdir(stateFolder).catch(() => [])).filter((name) => name.endsWith('.json'));
const path = async () => join(stateFolder, (await kept())[0] ?? '');
const refreshes = () => manager.requests.filter(({ body }) => body.includes('grant_type=refresh_token')).length;

describe('a remembered login', () => {
  test('is there again after a restart, and oauth_status says who was restored', async () => {
    const first = startServer();
    await signIn(first);
    expect(await call(first.session, 'oauth_status')).toMatchObject({ status: 'authenticated', restored: false });
    await first.service.close();

    const second = startServer();
    expect(await call(second.session, 'oauth_status')).toMatchObject({
      status: 'authenticated',
      restored: true,
      message: expect.stringContaining('restored'),
      user_info: { email: 'ada@acme.example' },
    });
    expect(second.session.state().kind).toBe('active');
  });

  test('asks the person for its longer life, and keeps nothing but who and the refresh token, for them alone', async () => {
    const server = startServer();
    await signIn(server);
    expect([...manager.logins.values()][0]!.parameters.get('remember_login')).toBe('true');
    expect([(await lstat(stateFolder)).mode & 0o777, (await lstat(await path())).mode & 0o777]).toEqual([0o700, 0o600]);
    const text = await readFile(await path(), 'utf8');
    expect(Object.keys(JSON.parse(text) as object).sort()).toEqual(
      ['clientId', 'email', 'issuer', 'refreshToken', 'sid', 'sub', 'version'].sort(),
    );
    expect(text).not.toMatch(/eyJ|api-session/);
  });

  test('is not asked for, kept or restored unless the author says so', async () => {
    const plain = startServer({ rememberLogin: false });
    await signIn(plain);
    expect([...manager.logins.values()][0]!.parameters.get('remember_login')).toBeNull();
    expect(await kept()).toEqual([]);
    await signIn(startServer());
    expect(await call(startServer({ rememberLogin: false }).session, 'oauth_status')).toMatchObject({
      status: 'signed_out',
    });
  });

  test('is nobody’s over HTTP, where one process serves many', async () => {
    const server = startServer();
    await signIn(server);
    const remote = server.service.createSession(guarded);
    expect(await call(remote, 'oauth_status')).toMatchObject({ status: 'signed_out' });
    const started = await call(remote, 'oauth_start');
    expect(
      manager.logins.get(started.authorization_url.split('/').at(-1)!)!.parameters.get('remember_login'),
    ).toBeNull();
  });

  test('is of one issuer and one application', async () => {
    await signIn(startServer());
    const other = startServer({ clientId: 'another' });
    expect(await call(other.session, 'oauth_status')).toMatchObject({ status: 'signed_out' });
  });

  test('is not ended by the end of the process, and ended and removed by oauth_logout', async () => {
    const first = startServer();
    await signIn(first);
    await first.service.close();
    const [session] = [...manager.sessions.values()];
    expect(session!.ended).toBeUndefined();
    const second = startServer();
    await call(second.session, 'oauth_status');
    await call(second.session, 'oauth_logout');
    expect([session!.ended, await kept()]).toEqual(['logged_out', []]);
    expect(await call(startServer().session, 'oauth_status')).toMatchObject({ status: 'signed_out' });
  });

  test('that was ended at the Manager meanwhile is over, and its file is gone', async () => {
    const first = startServer();
    await signIn(first);
    await first.service.close();
    manager.endSession([...manager.sessions.keys()][0]!, 'revoked');
    const second = startServer();
    expect(await call(second.session, 'oauth_status')).toMatchObject({ status: 'signed_out' });
    await until(() => true);
    expect(await kept()).toEqual([]);
  });

  test('that could not be kept is ended with its process, as one that nobody asked to remember', async () => {
    const server = startServer();
    await mkdir(stateFolder);
    await chmod(stateFolder, 0o755);
    expect(await signIn(server)).toMatchObject({ status: 'authenticated' });
    await server.service.close();
    expect(await kept()).toEqual([]);
    expect([...manager.sessions.values()].map(({ ended }) => ended)).toEqual(['logged_out']);
  });

  test('gives way to a new one of another person', async () => {
    const server = startServer();
    await signIn(server, 'ada');
    await signIn(server, 'bob');
    await server.service.close();
    expect(await call(startServer().session, 'oauth_status')).toMatchObject({
      user_info: { email: 'bob@acme.example' },
    });
    expect([...manager.sessions.values()].map(({ sub, ended }) => [sub, ended])).toEqual([
      ['ada', 'logged_out'],
      ['bob', undefined],
    ]);
  });

  test('waits for a Manager that is away, and is restored when it comes back', async () => {
    const first = startServer();
    await signIn(first);
    await first.service.close();
    manager.goAway();
    const second = startServer();
    await until(() => refreshes() > 0, 'a first attempt');
    expect(second.session.state().kind).toBe('anonymous');
    manager.comeBack();
    await until(() => second.session.state().kind === 'active');
  });
});

describe('a file that cannot be trusted', () => {
  test.each<[string, (file: string) => Promise<unknown>]>([
    ['that others may read', (file) => chmod(file, 0o644)],
    ['that is cut off', async (file) => writeFile(file, (await readFile(file, 'utf8')).slice(0, 40))],
    ['that is empty', (file) => writeFile(file, '')],
    [
      'that is of another version',
      async (file) => writeFile(file, (await readFile(file, 'utf8')).replace(':1,', ':2,')),
    ],
    [
      'of another issuer',
      async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('/t/acme', '/t/globex')),
    ],
    ['in a folder that others may enter', () => chmod(stateFolder, 0o755)],
  ])('%s restores nobody, and a login works without it', async (name, spoil) => {
    await signIn(startServer());
    await spoil(await path());
    const before = refreshes();
    const server = startServer();
    expect(await call(server.session, 'oauth_status')).toMatchObject({ status: 'signed_out' });
    expect(await signIn(server)).toMatchObject({ status: 'authenticated' });
    const isRefused = name.includes('folder');
    expect(refreshes()).toBe(before);
    expect(server.service.lines.some(({ level }) => level === 'warn')).toBe(true);
    if (isRefused) await chmod(stateFolder, 0o700);
  });
});

describe('two hosts that start the same server', () => {
  interface Host {
    readonly child: ChildProcess;
    readonly said: { status: string; email?: string }[];
  }
  function startHost(): Host {
    const script = fileURLToPath(new URL('./hosted-server.js', import.meta.url));
    const env = { ...process.env, ISSUER: manager.issuer, CLIENT_ID: manager.clientId, STATE_FOLDER: stateFolder };
    const child = fork(script, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    children.add(child);
    const said: Host['said'] = [];
    child.on('message', (message) => said.push(message as Host['said'][number]));
    return { child, said };
  }
  const isIn = ({ said }: Host) => said.at(-1)?.status === 'authenticated';

  async function remember(): Promise<void> {
    const server = startServer();
    await signIn(server);
    await server.service.close();
  }

  test('both have the login, refresh it in turns, and none ends it', async () => {
    await remember();
    manager.setSessionTokenSeconds(0.05);
    const hosts = [startHost(), startHost(), startHost()];
    await until(() => hosts.every(isIn), 'all hosts');
    const before = refreshes();
    for (let round = 0; round < 10; round++) {
      manager.setGrants('ada', { roles: [`round-${round}`] });
      const asked = refreshes();
      await until(() => refreshes() > asked, 'a refresh');
    }
    expect(refreshes()).toBeGreaterThan(before + 9);
    expect([...manager.sessions.values()].map(({ ended }) => ended)).toEqual([undefined]);
    for (const { child } of hosts) child.send('status');
    await until(() => hosts.every(isIn), 'all hosts');
  }, 30_000);

  test('one that is killed in the middle of a refresh leaves no lock and no half file behind', async () => {
    await remember();
    const text = await readFile(await path(), 'utf8');
    let caught = false;
    manager.intercept(({ body }) => {
      if (!body.includes('grant_type=refresh_token')) return false;
      caught = true;
      return true;
    });
    const first = startHost();
    await until(() => caught, 'a refresh under way');
    expect((await readdir(stateFolder)).some((name) => name.endsWith('.lock'))).toBe(true);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    manager.intercept(undefined);
    expect(JSON.parse(await readFile(await path(), 'utf8'))).toMatchObject(JSON.parse(text) as object);
    const second = startHost();
    await until(() => isIn(second), 'the other host');
    expect(await readdir(stateFolder)).toEqual(await kept());
  }, 30_000);

  test('one that is killed when the Manager has rotated, before it could write that down, ends nobody’s login', async () => {
    await remember();
    const before = await readFile(await path(), 'utf8');
    manager.loseNextRefresh();
    const first = startHost();
    await until(() => refreshes() > 0, 'a refresh under way');
    await until(() => [...manager.sessions.values()][0]?.refresh?.last !== undefined, 'the rotation');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    expect(JSON.parse(await readFile(await path(), 'utf8'))).toMatchObject(JSON.parse(before) as object);
    const [second, third] = [startHost(), startHost()];
    await until(() => isIn(second) && isIn(third), 'both other hosts');
    expect([...manager.sessions.values()].map(({ ended }) => ended)).toEqual([undefined]);
  }, 30_000);

  test('a refresh token that was copied and used elsewhere ends the login of all', async () => {
    await remember();
    const { refreshToken } = JSON.parse(await readFile(await path(), 'utf8')) as { refreshToken: string };
    const host = startHost();
    await until(() => isIn(host));
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: manager.clientId,
      refresh_token: refreshToken,
      refresh_attempt: 'x'.repeat(22),
    });
    expect((await fetch(`${manager.issuer}/token`, { method: 'POST', body })).status).toBe(400);
    await until(() => host.said.at(-1)?.status === 'signed_out', 'the end');
  }, 30_000);
});
