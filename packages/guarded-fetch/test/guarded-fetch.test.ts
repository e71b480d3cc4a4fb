import { execFile } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createGuardedFetch, type GuardedAgentOptions, type GuardedFetch, type LookupAll } from '../src/index.js';

let server: Server;
let port: number;
let hits: string[] = [];
const open: GuardedFetch[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    hits.push(`${request.method} ${request.headers.host}${request.url}`);
    response.writeHead(request.url === '/redirect' ? 302 : 200, { location: '/' }).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  await Promise.all(open.map((one) => one.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => void (hits = []));

function ask(url: string, options: Partial<GuardedAgentOptions> = {}): Promise<Response> {
  const guarded = createGuardedFetch({ allowPrivateAddresses: false, connectTimeoutMs: 2_000, ...options });
  open.push(guarded);
  return guarded.fetch(new URL(url), { method: 'GET', headers: new Headers() });
}

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error: { cause?: { name?: string; host?: string } }) => `${error.cause?.name} ${error.cause?.host}`,
  );

/** A name server whose answers, one after the other, are these. */
function answers(...rounds: string[][]): { lookup: LookupAll; asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    lookup(_, done) {
      const round = rounds[Math.min(asked++, rounds.length - 1)]!;
      const addresses: LookupAddress[] = round.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      setImmediate(() => done(null, addresses));
    },
  };
}

test.each([
  'http://127.0.0.1:PORT/',
  'http://localhost:PORT/',
  'http://0x7f000001:PORT/',
  'http://2130706433:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://169.254.169.254/',
  'https://[::1]:PORT/',
])('%s is not connected to', async (url) => {
  expect(await refusalOf(ask(url.replace('PORT', String(port))))).toMatch(/^AddressRefused /);
  expect(hits).toEqual([]);
});

test('a private address that is allowed is connected to, a link-local one never', async () => {
  expect(await (await ask(`http://127.0.0.1:${port}/`, { allowPrivateAddresses: true })).text()).toBe('ok');
  expect(await refusalOf(ask('http://169.254.169.254/', { allowPrivateAddresses: true }))).toMatch(/^AddressRefused/);
});

test('a name with a private address among public ones is refused', async () => {
  const dns = answers(['93.184.216.34', '127.0.0.1']);
  expect(await refusalOf(ask(`http://service.test:${port}/`, dns))).toBe('AddressRefused service.test');
  expect(hits).toEqual([]);
});

test('what was judged is what is connected to: a name is looked up once a connection', async () => {
  const dns = answers(['127.0.0.1'], ['169.254.169.254']);
  const response = await ask(`http://service.test:${port}/`, { ...dns, allowPrivateAddresses: true });
  expect([await response.text(), dns.asked(), hits]).toEqual(['ok', 1, [`GET service.test:${port}/`]]);
});

test('a name that is looked at as public, and is private when it is connected to, is refused', async () => {
  const dns = answers(['127.0.0.1']);
  expect(await refusalOf(ask(`http://service.test:${port}/`, dns))).toBe('AddressRefused service.test');
  expect(hits).toEqual([]);
});

test('without TLS nothing public is connected to, where that is said: neither a number nor a name that turned public', async () => {
  const options = { allowPrivateAddresses: true, plaintextOnlyToPrivate: true };
  expect(await refusalOf(ask('http://93.184.216.34/', options))).toBe('AddressRefused 93.184.216.34');
  const dns = answers(['93.184.216.34']);
  expect(await refusalOf(ask('http://service.test/', { ...dns, ...options }))).toBe('AddressRefused service.test');
  expect(await (await ask(`http://service.test:${port}/`, { ...answers(['127.0.0.1']), ...options })).text()).toBe(
    'ok',
  );
});

test('a redirect is an answer', async () => {
  const response = await ask(`http://127.0.0.1:${port}/redirect`, { allowPrivateAddresses: true });
  expect([response.status, response.headers.get('location')]).toEqual([302, '/']);
  expect(hits).toHaveLength(1);
});

describe('with a client certificate', () => {
  let folder: string;
  let tls: ReturnType<typeof createTlsServer>;
  const pem = (name: string) => readFile(join(folder, name), 'utf8');
  const run = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authsec-tls-'));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    await run('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem');
    await writeFile(join(folder, 'san'), 'subjectAltName=DNS:service.test');
    for (const name of ['server', 'client']) {
      await run('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
      await run('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
    }
    const ca = await pem('ca.pem');
    const own = { cert: await pem('server.pem'), key: await pem('server.key'), ca };
    tls = createTlsServer({ ...own, requestCert: true, rejectUnauthorized: true }, (request, response) => {
      response.end(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
    });
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    tls.closeAllConnections();
    await new Promise((resolve) => tls.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const service = async (more: Partial<GuardedAgentOptions>) =>
    ask(`https://service.test:${(tls.address() as AddressInfo).port}/`, {
      ...answers(['127.0.0.1']),
      allowPrivateAddresses: true,
      ...more,
    });
  const client = async () => ({ certificate: await pem('client.pem'), privateKey: await pem('client.key') });

  test('it is shown to a server that its authority vouches for', async () => {
    const clientCertificate = { ...(await client()), certificateAuthority: await pem('ca.pem') };
    expect(await (await service({ clientCertificate })).text()).toBe('client');
  });

  test('a server that nobody vouches for does not get it, and one does not get in without it', async () => {
    await expect(service({ clientCertificate: await client() })).rejects.toThrow('fetch failed');
    await expect(service({})).rejects.toThrow('fetch failed');
  });

  test('a private address is not even shown it', async () => {
    const clientCertificate = { ...(await client()), certificateAuthority: await pem('ca.pem') };
    expect(await refusalOf(service({ clientCertificate, allowPrivateAddresses: false }))).toBe(
      'AddressRefused service.test',
    );
  });
});
