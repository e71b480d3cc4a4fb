import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { makeStateDirectory, removeStateDirectory, startDevProcess } from '../e2e/dev-process.js';
import { findByCommand, readTree, waitForEnd } from './process-tree.js';

let directory: string;
/** Stands for pnpm: a program of that name that runs a script through a shell, as pnpm does. */
let pnpm: readonly string[];

beforeAll(async () => {
  directory = await makeStateDirectory();
  const program = join(directory, 'pnpm');
  const script = join(directory, 'run-script.mjs');
  await symlink(process.execPath, program);
  await writeFile(
    script,
    `import { spawn } from 'node:child_process';
     const quoted = process.argv.slice(2).map((part) => "'" + part + "'").join(' ');
     spawn('sh', ['-c', 'true && ' + quoted + '; exit $?'], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));`,
  );
  pnpm = [program, script];
});
afterAll(() => removeStateDirectory(directory));

describe('the development stack', () => {
  test('writes dev.json for its owner only, in the shape that scripts rely on, and removes it when Ctrl-C stops it', async () => {
    const stack = startDevProcess({ directory });
    const dev = await stack.ready();
    const tree = readTree(stack.pid);
    expect((await stat(join(directory, 'dev.json'))).mode & 0o777).toBe(0o600);
    const client = { client_id: expect.any(String), client_secret: expect.any(String) };
    const person = (domain: string) => ({
      email: expect.stringMatching(new RegExp(`@${domain}$`)),
      password: expect.any(String),
      tools: expect.arrayContaining(['hello']),
    });
    const provider = (path: string) => ({
      name: expect.any(String),
      url: expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/${path}$`)),
    });
    const tenant = (id: string, domain: string) => ({
      tenant_id: id,
      issuer: `${dev.manager.url}/t/${id}`,
      mcp: expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/t/${id}/mcp$`)),
      publicTools: ['ping'],
      application: client,
      stdio: {
        client_id: 'demo-mcp-stdio',
        command: process.execPath,
        args: [expect.stringMatching(/\/demo-mcp\/dist\/main\.js$/), '--stdio'],
        env: { AUTHSEC_ISSUER: `${dev.manager.url}/t/${id}`, AUTHSEC_CLIENT_ID: 'demo-mcp-stdio' },
      },
      admin: client,
      identityProviders: [provider('oidc'), provider('devhub')],
      people: expect.arrayContaining([
        ...Array.from({ length: 5 }, () => person(domain)),
        { ...person(domain), signInWith: 'DevHub' },
        { ...person(domain), signInWith: expect.stringMatching(/^(Acme Single Sign-On|Globex Login)$/) },
      ]),
    });
    expect(dev).toEqual({
      manager: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
      system: {
        issuer: `${dev.manager.url}/t/system`,
        operator: { email: 'operator@system.example', password: expect.any(String) },
        admin: client,
      },
      tenants: [tenant('acme-corp', 'acme-corp\\.example'), tenant('globex', 'globex\\.example')],
    });
    for (const { email, password } of dev.tenants.flatMap(({ people }) => people)) {
      expect(stack.output()).toContain(email);
      expect(stack.output()).toContain(password);
    }
    expect(await stack.interrupt()).toBe(0);
    expect(existsSync(join(directory, 'dev.json'))).toBe(false);
    expect(await waitForEnd(tree)).toEqual([]);
  }, 90_000);

  test('has the same people and secrets at the second start, and a second instance beside it says that one runs', async () => {
    const first = startDevProcess({ directory });
    const dev = await first.ready();
    const second = startDevProcess({ directory });
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(`already running here (process ${first.pid})`);
    const resetting = startDevProcess({ directory, args: ['--reset'] });
    expect((await resetting.ended).code).toBe(1);
    expect(existsSync(join(directory, 'dev.json'))).toBe(true);
    expect(await first.interrupt()).toBe(0);

    const again = startDevProcess({ directory });
    const { tenants } = await again.ready();
    expect(await again.interrupt()).toBe(0);
    const kept = (list: typeof tenants) =>
      list.map(({ application, admin, people }) => ({ application, admin, people }));
    expect(kept(tenants)).toEqual(kept(dev.tenants));

    const anew = startDevProcess({ directory, args: ['--reset'] });
    const { tenants: others } = await anew.ready();
    expect(await anew.interrupt()).toBe(0);
    expect(others[0]?.people[0]?.password).not.toBe(tenants[0]?.people[0]?.password);
    expect(others[0]?.application.client_secret).not.toBe(tenants[0]?.application.client_secret);
  }, 180_000);

  test.each(['AUTHSEC_MANAGER_PORT', 'AUTHSEC_DEMO_PORT', 'AUTHSEC_IDENTITY_PROVIDER_PORT'])(
    'names the port and %s when the port is taken, and leaves nothing running',
    async (setting) => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const stack = startDevProcess({ directory, env: { [setting]: String(port) } });
      expect((await stack.ended).code).toBe(1);
      expect(stack.output()).toContain(`Port ${port} `);
      expect(stack.output()).toContain(setting);
      await new Promise((resolve) => server.close(resolve));
    },
    30_000,
  );

  const victims = {
    'the supervisor': /^\S*node \S*dev\/main\.js/,
    'the keeper of PostgreSQL': /postgres-keeper\.js/,
    'the PostgreSQL server': /bin\/postgres /,
    'a PostgreSQL worker': /checkpointer/,
    'the Manager': /manager\/dist\/main\.js/,
    'the demo MCP server': /demo-mcp\/dist\/main\.js/,
    'the identity providers': /dev\/identity-provider\.js/,
    pnpm: /pnpm \S*run-script/,
    'the shell below pnpm': /^sh -c/,
  };
  test.each(Object.entries(victims))(
    'leaves nothing running after kill -9 of %s',
    async (_name, pattern) => {
      const stack = startDevProcess({ directory, launcher: pnpm });
      await stack.ready();
      const tree = readTree(stack.pid);
      for (const each of Object.values(victims)) findByCommand(tree, each);
      process.kill(findByCommand(tree, pattern).pid, 'SIGKILL');
      expect(await waitForEnd(tree)).toEqual([]);
      expect(existsSync(join(directory, 'dev.json'))).toBe(false);
    },
    90_000,
  );

  test('starts again after all of that with its data', async () => {
    const stack = startDevProcess({ directory });
    const secret = await readFile(join(directory, 'secret'), 'utf8');
    await stack.ready();
    expect(await readFile(join(directory, 'secret'), 'utf8')).toBe(secret);
    expect(await stack.interrupt()).toBe(0);
  }, 60_000);
});
