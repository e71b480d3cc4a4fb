import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { Client } from 'pg';
import { logIn } from '../authorization-server/login-flow.js';
import { basicOf, password, type TestClient } from '../authorization-server/test-server.js';
import { findInstalledPostgres, startInstalledPostgres } from './installed-postgres.js';
import { startOwnServer } from './own-server.js';
import { run } from './run-command.js';

const bin = findInstalledPostgres();
const required = process.env['AUTHSEC_REQUIRE_POSTGRES_TOOLS'] === '1';
if (!bin)
  process.stderr.write('skipped: backup and restore need an installed PostgreSQL (apt-get install postgresql)\n');
const suite = bin || required ? describe : describe.skip;

const page = readFileSync(new URL('../../../../docs/backup.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => String(match[1]));
const folder = mkdtempSync(join(tmpdir(), 'authsec-backup-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(script: string, env: Record<string, string>): void {
  const own = { PATH: `${bin}:${process.env['PATH']}`, BACKUP: join(folder, 'backup'), ...env };
  execFileSync('sh', ['-eu', '-c', script], { env: own, stdio: ['ignore', 'ignore', 'pipe'] });
}

suite('the commands of docs/backup.md', () => {
  test('restored into an empty cluster on another port, everybody signs in as before', async () => {
    const first = await startInstalledPostgres(bin!);
    const server = await startOwnServer(async () => ({ ...first, stop: async () => {} }));
    let second: Awaited<ReturnType<typeof startInstalledPostgres>> | undefined;
    let stop: (() => Promise<void>) | undefined;
    try {
      for (const tenant of ['system', 'acme']) {
        const args = ['bootstrap', '--tenant', tenant, '--email', 'ada@acme.test', '--password-stdin'];
        expect((await run(args, server.env, password)).code).toBe(0);
      }
      const file = join(folder, 'client.json');
      const create = ['--tenant', 'acme', '--name', 'MCP', '--resource-url', 'https://mcp.example.test/mcp'];
      await run(['applications', 'create', ...create, '--completion-page', '--credentials-file', file], server.env);
      const { issuer, client_id, client_secret } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
      const basic = basicOf(client_id!, client_secret!);
      const client: TestClient = { id: '', clientId: client_id!, clientSecret: client_secret!, basic };
      stop = await server.serve();
      const before = await logIn({ issuer: issuer! }, client, 'ada@acme.test');
      await stop();
      stop = undefined;

      shell(blocks[0]!, { SERVER_URL: first.url.replace(/\/postgres$/, '') });
      await first.stop();
      const files = readdirSync(join(folder, 'backup'));
      expect(files.sort()).toEqual(['authsec.dump', 'globals.sql', 'tenant_acme.dump', 'tenant_system.dump']);
      for (const one of files) expect(statSync(join(folder, 'backup', one)).mode & 0o077).toBe(0);

      second = await startInstalledPostgres(bin!);
      shell(blocks[1]!, { NEW_SERVER_URL: second.url.replace(/\/postgres$/, '') });
      server.env['AUTHSEC_DATABASE_URL'] = Object.assign(new URL(server.env['AUTHSEC_DATABASE_URL']!), {
        port: String(second.port),
      }).href;

      const lost = await run(['doctor'], server.env);
      expect(lost.stdout).toMatch(/fail +│ tenant acme/);
      const moved = await run(['tenants', 'move', '--all', '--to', `127.0.0.1:${second.port}`], server.env);
      expect(moved).toMatchObject({ code: 0, stderr: '' });
      expect((await run(['migrate'], server.env)).code).toBe(0);

      stop = await server.serve();
      expect(await run(['doctor'], server.env)).toMatchObject({ code: 0 });
      const after = await logIn({ issuer: issuer! }, client, 'ada@acme.test');
      const kid = (token: string) => decodeProtectedHeader(token).kid;
      expect(kid(after.access_token)).toBe(kid(before.access_token));
    } finally {
      await stop?.();
      await first.stop();
      await second?.stop();
      await server.close();
    }
  });

  test('a tenant is not moved to where its database is not, nor to that of another', async () => {
    const server = await startOwnServer();
    try {
      const args = ['bootstrap', '--tenant', 'acme', '--email', 'ada@acme.test', '--password-stdin'];
      await run(args, server.env, password);
      const move = (to: string) => run(['tenants', 'move', '--tenant', 'acme', '--to', to], server.env);
      expect(await move('127.0.0.1:1')).toMatchObject({ code: 1, stderr: expect.stringMatching(/acme: FAILED/) });
      expect(await move('evil@127.0.0.1/x')).toMatchObject({ code: 1, stderr: expect.stringMatching(/--to takes/) });
      const { host } = new URL(server.superuserUrl);
      expect((await move(host)).code).toBe(0);
      const there = new Client({ connectionString: server.superuserUrl.replace(/postgres$/, 'tenant_acme') });
      await there.connect();
      await there.query(`UPDATE stamp SET tenant_id = 'globex'`);
      expect(await move(host)).toMatchObject({ code: 1, stderr: expect.stringMatching(/bears the stamp globex/) });
      await there.query(`UPDATE stamp SET tenant_id = 'acme'`);
      await there.end();
      expect((await run(['migrate'], server.env)).code).toBe(0);
    } finally {
      await server.close();
    }
  });
});
