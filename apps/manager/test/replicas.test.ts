import { randomUUID } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { completeLogin } from './authorization-server/login-flow.js';
import { createClient, givePassword, post, redeem, type TestClient } from './authorization-server/test-server.js';
import { type ManagerProcess, startManager } from './support/start-manager.js';
import { createTestPerson } from './support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from './support/test-manager.js';

/** Hands every request to the next replica, and says in the answer which one it was. */
interface Proxy {
  readonly origin: string;
  readonly server: Server;
  ports: number[];
  /** Which replica answered each request since the last look. */
  look(): number[];
}

let proxy: Proxy;
let manager: TestManager;
let replicas: ManagerProcess[];
let tenant: TestTenant;
let client: TestClient;
let email: string;

beforeAll(async () => {
  proxy = await startProxy();
  manager = await createTestManager(
    {},
    {
      AUTHSEC_URL: proxy.origin,
      AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1',
      AUTHSEC_TRUSTED_PROXIES: '127.0.0.1',
    },
  );
  replicas = [startManager(manager.env), startManager(manager.env)];
  proxy.ports = await Promise.all(replicas.map(({ port }) => port));
  tenant = await manager.createTenant();
  client = await createClient(tenant);
  const person = await createTestPerson(tenant, { roles: ['admin'], scopes: ['read'] });
  email = person.email;
  await givePassword(tenant, person.id);
});
afterAll(async () => {
  for (const { process } of replicas) process.kill('SIGKILL');
  proxy.server.closeAllConnections();
  await new Promise((resolve) => proxy.server.close(resolve));
  await manager.close();
});

async function startProxy(): Promise<Proxy> {
  let next = 0;
  let answered: number[] = [];
  const server = createServer((incoming, outgoing) => {
    const index = next++ % proxied.ports.length;
    const { method, url: path, headers } = incoming;
    const forwarded = { ...headers, 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'http' };
    const passed = request({ host: '127.0.0.1', port: proxied.ports[index], method, path, headers: forwarded });
    passed.on('response', (response) => {
      answered.push(proxied.ports[index]!);
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxied: Proxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    ports: [],
    look() {
      const seen = answered;
      answered = [];
      return seen;
    },
  };
  return proxied;
}

async function clientToken(): Promise<string> {
  const fields = { grant_type: 'client_credentials', resource: `${tenant.issuer}/v1` };
  const answer = await post(`${tenant.issuer}/token`, fields, client.basic);
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function api(method: string, path: string, token: string, body?: unknown) {
  const answer = await fetch(`${proxy.origin}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json().catch(() => undefined)) as Record<string, unknown> };
}

describe('two Managers behind a proxy that alternates', () => {
  test('one login goes over both, step by step, and binds once', async () => {
    proxy.look();
    const { code, pkce, mcpSession } = await completeLogin(tenant, client, email);
    const answer = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    expect(answer.status).toBe(200);
    const { access_token } = (await answer.json()) as { access_token: string };
    const bound = await api('POST', '/v1/sessions', await clientToken(), {
      access_token,
      mcp_session: mcpSession,
    });
    expect(bound).toMatchObject({ status: 201, body: { status: 'active', email } });
    const again = await api('POST', '/v1/sessions', await clientToken(), {
      access_token,
      mcp_session: mcpSession,
    });
    expect(again.status).not.toBe(201);
    const seen = proxy.look();
    for (const port of proxy.ports) expect(seen.filter((one) => one === port).length).toBeGreaterThan(3);
  });

  test('a session bound by one replica is read, and ended, by the other', async () => {
    const { code, pkce, mcpSession } = await completeLogin(tenant, client, email);
    const tokens = await redeem(tenant.issuer, client, { code, verifier: pkce.verifier });
    const { access_token: token } = (await tokens.json()) as { access_token: string };
    const machine = await clientToken();
    const on = async (index: number, ...call: Parameters<typeof api>) => {
      const both = proxy.ports;
      proxy.ports = [both[index]!];
      const answer = await api(...call);
      proxy.ports = both;
      return answer;
    };
    const bound = await on(0, 'POST', '/v1/sessions', machine, { access_token: token, mcp_session: mcpSession });
    const { sid } = bound.body as { sid: string };
    expect(await on(1, 'GET', `/v1/sessions/${sid}`, machine)).toMatchObject({ status: 200, body: { sid } });
    expect((await on(1, 'DELETE', `/v1/sessions/${sid}`, machine)).status).toBe(204);
    const renewed = await on(0, 'POST', '/v1/sessions/renew', machine, { sids: [sid] });
    expect(JSON.stringify(renewed.body)).toContain('"ended"');
  });

  test('when one stops, logins go on with the other', async () => {
    replicas[0]!.process.kill('SIGTERM');
    expect(await replicas[0]!.exited).toBe(0);
    proxy.ports = [proxy.ports[1]!];
    const { code, pkce } = await completeLogin(tenant, client, email);
    expect((await redeem(tenant.issuer, client, { code, verifier: pkce.verifier })).status).toBe(200);
  });
});
