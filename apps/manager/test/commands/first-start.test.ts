import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { logIn } from '../authorization-server/login-flow.js';
import { basicOf, password } from '../authorization-server/test-server.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { run } from './run-command.js';

const email = 'Operator@Example.test';
let server: OwnServer;
let folder: string;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  server = await startOwnServer();
  folder = await mkdtemp(join(tmpdir(), 'authsec-first-start-'));
});
afterAll(async () => {
  await stop?.();
  await server.close();
  await rm(folder, { recursive: true });
});

const withoutSecrets = (text: string) => {
  expect(text).not.toContain(password);
  for (const [name, value] of Object.entries(server.env)) {
    if (/KEYS|DATABASE_URL/.test(name)) expect(text).not.toContain(value);
  }
};

/** The steps of a first start, in their order. */
describe('from an empty PostgreSQL', () => {
  test('bootstrap makes master, system tenant and the first operator, and says what is next', async () => {
    const { code, stdout, stderr } = await run(
      ['bootstrap', '--email', email, '--password-stdin'],
      server.env,
      `${password}\n`,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('tenant system: made');
    expect(stdout).toContain('administrator: Operator@Example.test, with the role authsec-admin');
    expect(stdout).toContain(`issuer: ${server.env['AUTHSEC_URL']}/t/system`);
    withoutSecrets(stdout);
  });

  test('run again, whatever it is told, it adds nobody and changes no password', async () => {
    const args = ['bootstrap', '--email', 'other@example.test', '--password-stdin'];
    const { code, stdout } = await run(args, server.env, 'another long password\n');
    expect(code).toBe(0);
    expect(stdout).toContain('administrators: operator@example.test; nobody was added');
  });

  test('a tenant with an administrator whose password comes from a file', async () => {
    const file = join(folder, 'password');
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    const env = {
      ...server.env,
      AUTHSEC_BOOTSTRAP_EMAIL: 'ada@acme.test',
      AUTHSEC_BOOTSTRAP_PASSWORD_FILE: file,
    };
    const { code, stdout } = await run(['bootstrap', '--tenant', 'acme', '--name', 'Acme'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('administrator: ada@acme.test');
  });

  test('at a terminal the password is asked twice, and what is typed is not shown', async () => {
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const command = `'${process.execPath}' '${main}' bootstrap --tenant initech`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env: { ...process.env, ...server.env } });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const answers: [string, string][] = [
      ['E-mail address: ', 'bill@initech.test'],
      ['Password: ', password],
      ['The same again: ', password],
    ];
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      const [question, answer] = answers[0] ?? [];
      if (question === undefined || !shown.includes(question)) return;
      answers.shift();
      child.stdin.write(`${answer}\r`);
    });
    expect(await exited).toBe(0);
    expect(shown).toContain('administrator: bill@initech.test');
    expect(shown).not.toContain(password);
  });

  test.each([
    ['a password that is too short', ['--email', 'x@y.test', '--password-stdin'], 'short\n', /12 to 256 characters/],
    ['no e-mail address', ['--email', 'nobody', '--password-stdin'], `${password}\n`, /no e-mail address/],
    ['nobody to ask', ['--email', 'x@y.test'], '', /set AUTHSEC_BOOTSTRAP_PASSWORD: there is nobody to ask/],
  ])('refuses %s', async (_name, args, input, message) => {
    const { code, stderr } = await run(['bootstrap', '--tenant', 'globex', ...args], server.env, input);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  test('a machine of the operators administrates with what its credentials file holds', async () => {
    const file = join(folder, 'admin.json');
    const args = ['--tenant', 'system', '--name', 'Terraform', '--role', 'authsec-admin', '--credentials-file', file];
    const { code, stdout, stderr } = await run(['applications', 'create', ...args], server.env);
    expect([code, stdout]).toEqual([0, '']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { issuer, client_id, client_secret } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
    expect(stderr).not.toContain(client_secret);

    stop = await server.serve();
    const tokens = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: basicOf(client_id!, client_secret!),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/v1` }),
    });
    const { access_token } = (await tokens.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${access_token}` };
    const answer = await fetch(`${server.env['AUTHSEC_URL']}/v1/tenants`, { headers });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ tenants: [{ tenant_id: 'acme' }, {}, {}, { tenant_id: 'system' }] });
  });

  test('the secret of an application never lands in a file that was there', async () => {
    const file = join(folder, 'taken');
    await writeFile(file, 'mine');
    const args = ['--tenant', 'acme', '--client-id', 'taken', '--name', 'X', '--credentials-file'];
    const { code, stderr } = await run(['applications', 'create', ...args, file], server.env);
    expect([code, await readFile(file, 'utf8')]).toEqual([1, 'mine']);
    expect(stderr).toContain('EEXIST');
    const again = [...args, join(folder, 'free')];
    expect((await run(['applications', 'create', ...again], server.env)).code).toBe(0);
    const third = [...args, join(folder, 'third'), '--if-missing'];
    expect((await run(['applications', 'create', ...third], server.env)).stdout).toContain('taken: there already');
  });

  test('the secret goes to standard output only where that was said, alone', async () => {
    const args = ['--tenant', 'acme', '--name', 'Piped', '--credentials-file', '-'];
    const { stdout, stderr } = await run(['applications', 'create', ...args], server.env);
    const { client_secret } = JSON.parse(stdout) as Record<string, string>;
    expect(client_secret).toMatch(/^[\w-]{43}$/);
    expect(stderr).not.toContain(client_secret);
    const none = await run(['applications', 'create', '--tenant', 'acme', '--name', 'No file'], server.env);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringMatching(/--credentials-file says where/) });
  });

  test('refuses an application with a role that the tenant does not have, and makes none', async () => {
    const file = join(folder, 'none');
    const args = ['--tenant', 'acme', '--client-id', 'none', '--name', 'X', '--credentials-file', file];
    const { code } = await run(['applications', 'create', ...args, '--role', 'constructor'], server.env);
    expect(code).toBe(1);
    await expect(stat(file)).rejects.toThrow(/ENOENT/);
    expect((await run(['applications', 'create', ...args], server.env)).code).toBe(0);
  });

  test('the first operator and the administrator of a tenant can sign in', async () => {
    for (const [tenant, who] of [
      ['system', email],
      ['acme', 'ada@acme.test'],
    ] as const) {
      const file = join(folder, `${tenant}.json`);
      const args = ['--tenant', tenant, '--name', 'MCP', '--resource-url', 'https://mcp.example.test/mcp'];
      await run(['applications', 'create', ...args, '--completion-page', '--credentials-file', file], server.env);
      const { issuer, client_id, client_secret } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
      const basic = basicOf(client_id!, client_secret!);
      const client = { id: '', clientId: client_id!, clientSecret: client_secret!, basic };
      const { access_token } = await logIn({ issuer: issuer! }, client, who);
      expect(access_token).toMatch(/^ey/);
    }
  });

  test('keys rotate: a new key signs, the old one still verifies', async () => {
    const keys = async () => {
      const answer = await fetch(`${server.env['AUTHSEC_URL']}/t/acme/jwks`);
      return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    };
    const [before] = await keys();
    const { code, stdout } = await run(['keys', 'rotate', '--tenant', 'acme'], server.env);
    expect(code).toBe(0);
    const [, kid] = /^acme: (\S+) signs now$/m.exec(stdout) ?? [];
    expect(await keys()).toEqual(expect.arrayContaining([before, kid]));
    expect((await run(['keys', 'rotate'], server.env)).stderr).toMatch(/either --tenant <id> or --all/);
    expect((await run(['keys', 'rotate', '--tenant', 'nobody'], server.env)).code).toBe(1);
  });

  test('healthcheck tells ready from not ready', async () => {
    const { hostname, port } = new URL(server.env['AUTHSEC_URL']!);
    const env = { ...server.env, AUTHSEC_HOST: hostname, AUTHSEC_PORT: port };
    expect(await run(['healthcheck'], env)).toMatchObject({ code: 0, stdout: 'ok\n' });
    await stop?.();
    stop = undefined;
    expect(await run(['healthcheck'], env)).toMatchObject({ code: 1, stderr: '/readyz answered 503\n' });
  });

  test('of the password, argon2id is all that is stored', async () => {
    const client = new Client({ connectionString: server.superuserUrl.replace(/postgres$/, 'tenant_system') });
    await client.connect();
    const { rows } = await client.query('SELECT password_hash FROM password_credentials');
    await client.end();
    expect(rows.map((row) => String(row.password_hash).slice(0, 10))).toEqual(['$argon2id$']);
  });
});
