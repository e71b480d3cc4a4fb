import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { connectVault, type VaultRequest } from '../../src/integrations/vault/vault-client.js';
import { type VaultPath, vaultPath } from '../../src/integrations/vault/vault-paths.js';
import { vaultPlan } from '../../src/integrations/vault/provision-vault.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import { createCertificate } from '../support/certificate.js';
import { until } from '../support/until.js';
import { naughtyNames } from './naughty-names.js';
import { failureOf } from './secret-store-contract.js';
import { settingsFor, silent } from './vault-under-test.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Stands in for a Vault that misbehaves, which a real one cannot be told to. */
async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ address: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function connect(address: string, more = {}) {
  const connection = connectVault({ address, requestTimeoutMs: 300, ...more });
  closers.push(() => connection.close());
  return connection;
}

const reading: VaultRequest = { method: 'GET', path: vaultPath('authsec/data/acme/x'), what: 'reading' };
const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
};

describe('requests to Vault', () => {
  test('carry the token and namespace that they were given, and nothing of the environment', async () => {
    const { address, seen } = await listen((_, response) => json(response, 200, {}));
    const strays = {
      VAULT_TOKEN: 'stray',
      VAULT_NAMESPACE: 'stray',
      VAULT_PREFIX: '/stray',
      VAULT_ADDR: 'http://stray.test',
    };
    const before = { ...process.env };
    Object.assign(process.env, strays, { HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' });
    try {
      await connect(address, { namespace: 'team/a' }).as('mine').request(reading);
      await connect(address).as(undefined).request(reading);
    } finally {
      for (const name of [...Object.keys(strays), 'HTTP_PROXY', 'http_proxy']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    expect(seen.map(({ path }) => path)).toEqual(['/v1/authsec/data/acme/x', '/v1/authsec/data/acme/x']);
    expect(seen.map(({ headers }) => headers['x-vault-token'])).toEqual(['mine', undefined]);
    expect(seen.map(({ headers }) => headers['x-vault-namespace'])).toEqual(['team/a', undefined]);
  });

  test('never follow a redirect with the token, which is how a standby sends elsewhere', async () => {
    const other = await listen((_, response) => json(response, 200, {}));
    const { address } = await listen((_, response) =>
      response.writeHead(307, { Location: `${other.address}/v1/x` }).end(),
    );
    const error: unknown = await connect(address)
      .as('mine')
      .request(reading)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'unavailable', message: expect.stringContaining('standby') });
    expect(other.seen).toEqual([]);
  });

  test.each([
    ['says nothing', () => {}],
    [
      'says a header and no more',
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('{'),
    ],
    [
      'says a byte now and then, for ever',
      (_: IncomingMessage, response: ServerResponse) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('end in time where the server %s', async (_name, answer) => {
    const { address } = await listen(answer);
    const from = performance.now();
    const error: unknown = await connect(address)
      .as('mine')
      .request(reading)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'unavailable', refusal: 'timeout' });
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  test.each([
    [200, 'not JSON', 'answers'],
    [400, { errors: ['canary'] }, 'denied'],
    [401, { errors: ['canary'] }, 'denied'],
    [403, { errors: ['canary'] }, 'denied'],
    [404, { errors: [] }, 'missing'],
    [404, { errors: ['no handler for route "canary"'] }, 'denied'],
    [404, { data: { data: null, metadata: { canary: 'canary' } } }, 'missing'],
    [405, {}, 'unsupported'],
    [412, {}, 'unavailable'],
    [429, {}, 'unavailable'],
    [472, {}, 'unavailable'],
    [500, { errors: ['canary'] }, 'unavailable'],
    [502, '<html>canary</html>', 'unavailable'],
    [503, { errors: ['Vault is sealed'] }, 'unavailable'],
  ])('a %i is told as what it is, without its body', async (status, body, expected) => {
    const { address } = await listen((_, response) => json(response, status, body));
    const outcome = await connect(address)
      .as('canary-token')
      .request(reading)
      .then(
        () => 'answers',
        (error: Error & { failure: string }) => {
          expect(JSON.stringify([error, error.message, error.stack, error.cause])).not.toContain('canary');
          return error.failure;
        },
      );
    expect(outcome).toBe(expected);
  });

  test('trust the authority that was given, and nobody for want of it', async () => {
    const { certificate, private_key: key } = createCertificate('localhost');
    const server = createTlsServer({ cert: certificate, key }, (_, response) => json(response, 200, { well: true }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(async () => void server.close());
    const address = `https://localhost:${(server.address() as AddressInfo).port}`;
    const known = connect(address, { certificateAuthority: certificate });
    expect(await known.as('mine').request(reading)).toEqual({ well: true });
    process.env['VAULT_SKIP_VERIFY'] = '1';
    try {
      const others = [undefined, createCertificate('localhost').certificate];
      for (const certificateAuthority of others) {
        expect(await failureOf(connect(address, { certificateAuthority }).as('mine').request(reading))).toBe(
          'unavailable',
        );
      }
    } finally {
      delete process.env['VAULT_SKIP_VERIFY'];
    }
  });

  test('an answer without an end is cut off', async () => {
    const { address } = await listen((_, response) => {
      response.writeHead(200);
      const more = (): void =>
        void (response.write('x'.repeat(64 * 1024)) ? setImmediate(more) : response.once('drain', more));
      more();
    });
    const connection = connect(address, { requestTimeoutMs: 5_000 });
    // By its size: by the time that it takes the refusal would be `timeout`.
    const cutOff = { failure: 'unavailable', refusal: 'unreachable' };
    await expect(connection.as('mine').request(reading)).rejects.toMatchObject(cutOff);
  });

  test('500 naughty names make no path, and no request', async () => {
    const { address, seen } = await listen((_, response) => json(response, 200, {}));
    const client = connect(address).as('mine');
    const harmless = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
    for (const name of naughtyNames(500).filter((made) => !made.split('/').every((part) => harmless.test(part)))) {
      expect(() => vaultPath('authsec/data', name)).toThrow(/no path/);
      const path = `authsec/data/acme/${name}` as VaultPath;
      expect(await failureOf(client.request({ method: 'GET', path, what: 'reading' }))).toBe('denied');
    }
    expect(seen).toEqual([]);
  });
});

describe('what is seen of a Vault', () => {
  const health = (body: Record<string, unknown>) => ({ initialized: true, sealed: false, standby: false, ...body });
  const open = async (answer: (path: string) => [number, unknown] | undefined) => {
    const { address } = await listen((request, response) => {
      const told = answer(request.url ?? '');
      if (told) json(response, ...told);
    });
    const plan = vaultPlan();
    const settings = settingsFor({ address, plan }, { roleId: 'r', secretId: 's' });
    const store = await createVaultSecretStore(settings, {
      logger: silent,
      requestTimeoutMs: 3_000,
      callTimeoutMs: 30_000,
    });
    closers.push(() => store.close());
    return store;
  };
  const refused: [number, unknown] = [503, { errors: ['standby'] }];

  test.each([
    ['standby', [429, health({ standby: true })], refused],
    ['sealed', [503, health({ sealed: true, standby: true })], refused],
    ['uninitialised', [501, health({ initialized: false, sealed: true })], refused],
    ['unreachable', [502, '<html>'], refused],
    ['permission denied', [200, health({})], [403, { errors: ['permission denied'] }]],
    ['timeout', undefined, undefined],
  ] as const)('%s', async (reason, seen, login) => {
    const store = await open((path) => (path === '/v1/sys/health' ? seen : login) as [number, unknown] | undefined);
    await until('it is seen', () => store.health().reason !== 'not seen yet');
    expect(store.health()).toEqual({ status: 'degraded', reason });
  });

  test('a standby that passes requests on is well', async () => {
    const auth = { client_token: 't', lease_duration: 1_200, renewable: true, policies: ['authsec-manager'] };
    const store = await open((path) => {
      if (path === '/v1/sys/health') return [429, health({ standby: true })];
      return [200, path.endsWith('/login') ? { auth } : { data: { ttl: 1_000, policies: ['authsec-manager'] } }];
    });
    await until('it is seen to be well', () => store.health().status === 'ok');
  });

  test('callers that give up waiting for a slow Vault do not make it one that hangs', async () => {
    const paths: string[] = [];
    let slowness = 0;
    const { address } = await listen((incoming, response) => {
      const path = incoming.url ?? '';
      paths.push(path);
      setTimeout(() => json(response, ...answerAsVault(path)), slowness);
    });
    const settings = settingsFor({ address, plan: vaultPlan() }, { roleId: 'r', secretId: 's' });
    const store = await createVaultSecretStore(settings, { logger: silent, callTimeoutMs: 150 });
    closers.push(() => store.close());
    const secret = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const;
    await until('it is logged in', async () => (await failureOf(store.read(secret))) === 'foreign');
    slowness = 250;
    const asked = () => paths.filter((path) => path.startsWith('/v1/authsec/')).length;
    const before = asked();
    for (let call = 1; call <= 8; call += 1) {
      expect(await failureOf(store.read(secret))).toBe('unavailable');
      expect(asked() - before).toBe(call);
    }
  });

  test('an answer of another version than was asked, or of another secret, is not given out', async () => {
    const address = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const;
    const place = `acme/services/${address.serviceId}`;
    let answer: unknown;
    const store = await open((path) => (path.startsWith('/v1/authsec/') ? [200, answer] : answerAsVault(path)));
    const secret = (at: string, version: number) => ({
      data: { data: { address: at, value: { token: 'canary' } }, metadata: { version } },
    });
    answer = secret(place, 3);
    expect(await store.read(address, { version: 3 })).toEqual({ value: { token: 'canary' }, version: 3 });
    expect(await failureOf(store.read(address, { version: 2 }))).toBe('foreign');
    for (const wrong of [
      secret(place.replace('acme', 'beta'), 3),
      secret(`${place}x`, 3),
      secret(place, 0),
      {},
      undefined,
    ]) {
      answer = wrong;
      expect(await failureOf(store.read(address))).toBe('foreign');
    }
    answer = { data: { version: 5 } };
    expect(await failureOf(store.write(address, { token: 'x' }, { expectedVersion: 3 }))).toBe('foreign');
  });

  test('a token that Vault says is of another tenant is not used', async () => {
    const paths: string[] = [];
    const store = await open((path) => {
      paths.push(path);
      return answerAsVault(path, 'beta');
    });
    const address = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const;
    expect(await failureOf(store.read(address))).toBe('foreign');
    expect(paths.filter((path) => path.startsWith('/v1/authsec/'))).toEqual([]);
  });

  test('nobody there', async () => {
    const { address } = await listen(() => {});
    await closers.pop()?.();
    const settings = settingsFor({ address, plan: vaultPlan() }, { roleId: 'r', secretId: 's' });
    const store = await createVaultSecretStore(settings, { logger: silent });
    closers.push(() => store.close());
    await until('it is seen', () => store.health().reason === 'unreachable');
  });
});

/** A Vault that is well, in which `tenant` has a role and no secret that fits. */
function answerAsVault(path: string, tenant = 'acme'): [number, unknown] {
  const metadata = { role_name: tenant };
  if (path === '/v1/sys/health') return [200, { initialized: true, sealed: false, standby: false }];
  if (path.endsWith('/login')) {
    return [200, { auth: { client_token: 't', lease_duration: 1_200, renewable: true, policies: [], metadata } }];
  }
  if (path.endsWith('/role-id')) return [200, { data: { role_id: 'r' } }];
  if (path.endsWith('/secret-id')) {
    return [200, { wrap_info: { token: 'w', creation_path: 'auth/authsec-tenants/role/acme/secret-id' } }];
  }
  if (path.endsWith('/unwrap')) return [200, { data: { secret_id: 's' } }];
  return [200, { data: { ttl: 1_000, policies: [] } }];
}
