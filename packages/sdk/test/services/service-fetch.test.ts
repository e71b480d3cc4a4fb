import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { ServiceCredential } from '@authsec/manager-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { holdCredential } from '../../src/services/held-credential.js';
import type { PersonServices, ServiceSource } from '../../src/services/service-source.js';
import { createServiceFetch, type ServiceFetch } from '../../src/services/service-fetch.js';
import { createServiceNetwork, type ServiceNetwork } from '../../src/services/service-network.js';
import { systemClock } from '../../src/clock.js';
import { createLog } from '../guard/raw-client.js';

const canary = 'ghp_canary/Token+1234567890';
const bearer: ServiceCredential = { type: 'bearer', token: canary };

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let elsewhere: Server;
let origin: string;
let other: string;
let seen: Seen[] = [];
let serve: (seen: Seen, response: ServerResponse) => unknown = (_, response) => response.end('ok');
const network: ServiceNetwork = createServiceNetwork();

async function listen(handle: (seen: Seen, response: ServerResponse) => unknown): Promise<[Server, string]> {
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const { method = '', url = '', headers } = request;
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      void handle(one, response);
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return [listening, `http://127.0.0.1:${(listening.address() as AddressInfo).port}`];
}

beforeAll(async () => {
  [server, origin] = await listen((one, response) => serve(one, response));
  [elsewhere, other] = await listen((_, response) => response.end('another host'));
});
afterAll(async () => {
  await network.close();
  for (const one of [server, elsewhere]) {
    one.closeAllConnections();
    await new Promise((resolve) => one.close(resolve));
  }
});
beforeEach(() => {
  seen = [];
  serve = (_, response) => response.end('ok');
});

async function closedOrigin(): Promise<string> {
  const [listening, address] = await listen(() => {});
  await new Promise((resolve) => listening.close(resolve));
  return address;
}

interface Given {
  readonly credential?: ServiceCredential;
  readonly previous?: ServiceCredential;
  /** Where the service is by now. */
  readonly previousBaseUrl?: string;
  readonly baseUrl?: string | null;
  readonly allowPrivateAddresses?: boolean;
  readonly over?: AbortController;
}

function open(given: Given = {}) {
  const { credential = bearer, previous, baseUrl = `${origin}/v1`, allowPrivateAddresses = true } = given;
  const log = createLog();
  const source: ServiceSource = {
    clock: systemClock,
    network,
    closed: new AbortController().signal,
    person: () => undefined,
  };
  const hold = (one: ServiceCredential, at = baseUrl) => {
    const issued = {
      service: {
        id: '00000000-0000-4000-8000-000000000000',
        name: 'github',
        kind: 'bearer',
        base_url: at,
        allow_private_addresses: allowPrivateAddresses,
      },
      credential: one,
      expires_in: 300,
      lease_id: null,
      decision_id: '00000000-0000-4000-8000-000000000000',
    };
    const sentAt = systemClock.monotonic();
    return holdCredential({ caller: {} as PersonServices, issued, sentAt }, { source, log, renewLease });
  };
  const held = hold(credential);
  let previousAsked = 0;
  const fetch: ServiceFetch = createServiceFetch({
    service: 'github',
    current: async () => held,
    previous: async () => (previousAsked++ === 0 && previous ? hold(previous, given.previousBaseUrl) : undefined),
    over: (given.over ?? new AbortController()).signal,
    log,
  });
  return Object.assign(fetch, { log });
}

const failing = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string },
  );

const renewLease = async () => 300;

describe('the credential is put on the request', () => {
  test.each<[string, ServiceCredential, Partial<Seen['headers']>]>([
    ['bearer', bearer, { authorization: `Bearer ${canary}` }],
    ['header', { type: 'header', name: 'X-Api-Key', value: `Token ${canary}` }, { 'x-api-key': `Token ${canary}` }],
    [
      'basic',
      { type: 'basic', username: 'ada', password: 'pässword' },
      { authorization: 'Basic YWRhOnDDpHNzd29yZA==' },
    ],
  ])('%s', async (_, credential, headers) => {
    await open({ credential })('repos');
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/v1/repos', headers });
  });

  test('in the query, beside what the tool asked, in place of one of the same name', async () => {
    const fetch = open({ credential: { type: 'query', name: 'key', value: canary } });
    const response = await fetch('repos?a=%20b+c&key=mine&k%65y=mine&b');
    expect(seen[0]?.url).toBe(`/v1/repos?a=%20b+c&b&key=${encodeURIComponent(canary)}`);
    expect(response.url).toBe(`${origin}/v1/repos?a=%20b+c&key=mine&k%65y=mine&b`);
  });

  test('and what the tool’s code says in its place, or of the message’s way, is left out', async () => {
    const fetch = open({ credential: { type: 'header', name: 'x-api-key', value: canary } });
    await fetch('repos', {
      headers: {
        Authorization: 'Bearer mine',
        'X-API-Key': 'mine',
        Cookie: 'a=b',
        Host: 'evil.example',
        'Proxy-Authorization': 'mine',
        'Transfer-Encoding': 'chunked',
        'Content-Length': '0',
        TE: 'trailers',
        'X-Own': 'kept',
      },
    });
    const { headers } = seen[0]!;
    expect(headers).toMatchObject({ 'x-api-key': canary, 'x-own': 'kept', host: new URL(origin).host });
    expect(Object.keys(headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'connection',
      'host',
      'sec-fetch-mode',
      'user-agent',
      'x-api-key',
      'x-own',
    ]);
    expect(fetch.log.lines).toEqual([{ level: 'warn', message: expect.stringContaining('left out') }]);
  });

  test('that cannot stand in a header is an error which does not quote it', async () => {
    const error = await failing(open({ credential: { type: 'bearer', token: 'geheim\u2603\n' } })('repos'));
    expect(error).toMatchObject({ code: 'service_unavailable' });
    expect(String(error?.stack)).not.toContain('geheim');
    expect(seen).toEqual([]);
  });
});

describe('as fetch does', () => {
  test.each<[string, RequestInit, string, string]>([
    ['text', { body: '{"a":1}', headers: { 'content-type': 'application/json' } }, '{"a":1}', 'application/json'],
    ['a form', { body: new URLSearchParams({ a: '1 2' }) }, 'a=1+2', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['bytes', { body: new Uint8Array([65, 66]) }, 'AB', 'undefined'],
    ['a blob', { body: new Blob(['AB'], { type: 'text/x' }) }, 'AB', 'text/x'],
    ['a stream', { body: new Blob(['AB']).stream(), duplex: 'half' } as RequestInit, 'AB', 'undefined'],
  ])('it sends %s', async (_, init, body, type) => {
    await open()('repos', { method: 'POST', ...init });
    expect(seen[0]).toMatchObject({ method: 'POST', body });
    expect(String(seen[0]?.headers['content-type'])).toBe(type);
  });

  test('it takes a form with files, a Request and a URL', async () => {
    const form = new FormData();
    form.set('file', new Blob(['AB']), 'a.txt');
    await open()('repos', { method: 'POST', body: form });
    expect(seen[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen[0]?.body).toContain('filename="a.txt"');
    await open()(new Request(`${origin}/v1/repos`, { method: 'PUT', body: 'whole', headers: { 'x-own': '1' } }));
    expect(seen[1]).toMatchObject({ method: 'PUT', body: 'whole', headers: { 'x-own': '1', 'content-length': '5' } });
    await open()(new URL(`${origin}/v1/repos`));
    expect(seen[2]).toMatchObject({ method: 'GET', url: '/v1/repos' });
  });

  test('it answers a Response with its status, headers and body', async () => {
    serve = (_, response) => response.writeHead(418, 'short', { 'x-a': '1' }).end('{"a":1}');
    const response = await open()('repos');
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.statusText, response.ok]).toEqual([418, 'short', false]);
    expect([response.headers.get('x-a'), response.url, response.redirected]).toEqual([
      '1',
      `${origin}/v1/repos`,
      false,
    ]);
    expect(await response.clone().json()).toEqual({ a: 1 });
    expect(new TextDecoder().decode(await response.arrayBuffer())).toBe('{"a":1}');
  });

  test.each([600, 999])('a status that no Response has (%i) is an error of the service', async (status) => {
    serve = (_, response) => response.writeHead(status).end();
    expect(await failing(open()('repos'))).toMatchObject({ code: 'service_unavailable' });
  });

  test('it answers without a body where there is none', async () => {
    serve = (_, response) => response.writeHead(204).end();
    expect((await open()('repos')).body).toBeNull();
    serve = (_, response) => response.writeHead(200, { 'content-length': '5' }).end();
    const head = await open()('repos', { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['5', '']);
  });

  test('it gives up when the tool says so, before the answer and in the middle of its body', async () => {
    const before = new AbortController();
    serve = () => before.abort(new Error('enough'));
    expect(await failing(open()('repos', { signal: before.signal }))).toMatchObject({ message: 'enough' });
    expect(await failing(open()('repos', { signal: before.signal }))).toMatchObject({ message: 'enough' });
    const within = new AbortController();
    serve = (_, response) => void response.write('begun\n');
    const reader = (await open()('repos', { signal: within.signal })).body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('begun\n');
    within.abort();
    expect(await failing(reader.read())).toMatchObject({ name: 'AbortError' });
  });

  test('a body comes while it is sent', async () => {
    let go = () => {};
    serve = (_, response) => {
      response.write('data: one\n\n');
      go = () => response.end('data: two\n\n');
    };
    const reader = (await open()('events')).body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: one\n\n');
    go();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: two\n\n');
    expect((await reader.read()).done).toBe(true);
  });

  test('a body that is not wanted any more is not read on', async () => {
    const closed = new Promise<void>((resolve) => {
      serve = (_, response) => {
        const write = () => {
          while (response.write(Buffer.alloc(65_536))) if (response.destroyed) return;
        };
        response.on('drain', write).on('close', resolve);
        write();
      };
    });
    await (await open()('endless')).body!.cancel();
    await closed;
  });
});

describe('the secret is taken out of', () => {
  const forms = [
    canary,
    encodeURIComponent(canary),
    Buffer.from(`x:${canary}`).toString('base64'),
    JSON.stringify({ canary }),
  ];
  const isClean = (text: string) => {
    expect(text).not.toContain(canary);
    expect(text).not.toContain(encodeURIComponent(canary));
    expect(text).not.toContain(Buffer.from(`x:${canary}`).toString('base64').slice(4, -4));
    expect(text).toContain('[redacted]');
  };

  test.each<[string, (text: string) => Buffer]>([
    ['identity', (text) => Buffer.from(text)],
    ['gzip', (text) => gzipSync(text)],
    ['deflate', (text) => deflateSync(text)],
    ['br', (text) => brotliCompressSync(text)],
    ['GZIP', (text) => gzipSync(text)],
    ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
  ])('a body, also where it comes as %s', async (encoding, encode) => {
    const body = encode(`{"a":${forms.map((form) => JSON.stringify(form)).join(',')}}`);
    serve = (_, response) =>
      response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length }).end(body);
    const response = await open()('repos');
    isClean(await response.text());
    expect([response.headers.get('content-encoding'), response.headers.get('content-length')]).toEqual([null, null]);
  });

  test('a body that comes byte by byte', async () => {
    serve = async (_, response) => {
      for (const char of forms.join('|')) {
        response.write(char);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      response.end();
    };
    isClean(await (await open()('repos')).text());
  });

  test('of a header with a prefix also what stands after that', async () => {
    serve = (_, response) => response.end('no key abcdef-1234567890');
    const fetch = open({ credential: { type: 'header', name: 'x-api-key', value: 'Token abcdef-1234567890' } });
    expect(await (await fetch('x')).text()).toBe('no key [redacted]');
  });

  test('without the spaces around it, which a header loses', async () => {
    serve = ({ headers }, response) => response.end(`got <${headers.authorization}>`);
    const fetch = open({ credential: { type: 'bearer', token: ` ${canary} ` } });
    expect(await (await fetch('x')).text()).toMatch(/^got <Bearer +\[redacted\]>$/);
  });

  test('headers and the status text', async () => {
    serve = (_, response) =>
      response.writeHead(200, `no ${canary}`, { 'x-echo': canary, 'x-forms': forms.join(' ') }).end();
    const response = await open()('repos');
    isClean(response.statusText);
    isClean([...response.headers].flat().join('\n'));
  });

  test('names of headers, with the whole header', async () => {
    const token = 'geheim-1234';
    serve = (_, response) => response.writeHead(200, { [`x-${token}`]: '1', 'x-other': '2' }).end();
    const { headers } = await open({ credential: { type: 'bearer', token } })('repos');
    expect([...headers].flat()).not.toContain(`x-${token}`);
    expect(headers.get('x-other')).toBe('2');
  });

  test('a body in an encoding that was not asked for, by not taking it', async () => {
    serve = (_, response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end(canary);
    expect(await failing(open()('repos', { headers: { 'accept-encoding': 'zstd' } }))).toMatchObject({
      code: 'service_unavailable',
    });
    expect(seen[0]?.headers['accept-encoding']).toBe('gzip, deflate, br');
  });

  test('errors of the connection, also in the middle of a body', async () => {
    serve = (_, response) => {
      response.write(`begun ${canary}`, () => response.destroy());
    };
    const response = await open({ credential: { type: 'query', name: 'key', value: canary } })('repos');
    const error = await failing(response.text());
    expect(error).toMatchObject({ code: 'service_unavailable', message: expect.stringContaining('github') });
    const refused = await failing(
      open({ baseUrl: await closedOrigin(), credential: { type: 'query', name: 'key', value: canary } })('x'),
    );
    expect(refused).toMatchObject({ code: 'service_unavailable', message: expect.stringContaining('ECONNREFUSED') });
    for (const one of [error, refused])
      expect(`${one?.stack}${JSON.stringify(one)}${String(one?.cause)}`).not.toContain('ghp_canary');
  });
});

describe('the credential goes nowhere else', () => {
  test.each([301, 302, 303, 307, 308])('a redirect (%i) to another host is refused', async (status) => {
    serve = (_, response) => response.writeHead(status, { location: `${other}/v1/repos` }).end();
    expect(await failing(open()('repos'))).toMatchObject({ code: 'service_host_refused' });
    expect(seen).toHaveLength(1);
  });

  test.each(['//evil.example/', '/admin', '../../admin', 'http://user:pass@127.0.0.1/v1/', 'https://127.0.0.1/v1/'])(
    'a redirect to %s is refused',
    async (location) => {
      serve = (_, response) => response.writeHead(302, { location }).end();
      expect(await failing(open()('repos'))).toMatchObject({ code: 'service_host_refused' });
      expect(seen).toHaveLength(1);
    },
  );

  test('one that stays with the service is followed, with the credential', async () => {
    serve = ({ url }, response) =>
      url === '/v1/old' ? response.writeHead(301, { location: '/v1/new?x' }).end() : response.end('new');
    const response = await open()('old');
    expect([await response.text(), response.redirected, response.url]).toEqual(['new', true, `${origin}/v1/new?x`]);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${canary}`, `Bearer ${canary}`]);
  });

  test('what was posted is asked for after 302 and 303, and posted again after 307', async () => {
    const post = { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } };
    for (const status of [302, 303, 307]) {
      serve = ({ url }, response) =>
        url === '/v1/old' ? response.writeHead(status, { location: 'new' }).end() : response.end('new');
      await open()('old', post);
    }
    expect(
      seen.map(({ method, body, headers }) => `${method} ${body} ${headers['content-type'] ?? ''}`.trim()),
    ).toEqual(['POST x text/plain', 'GET', 'POST x text/plain', 'GET', 'POST x text/plain', 'POST x text/plain']);
  });

  test('it does not go round in circles, and stops where it is told to', async () => {
    serve = (_, response) => response.writeHead(302, { location: 'repos' }).end();
    expect(await failing(open()('repos'))).toMatchObject({ code: 'service_unavailable' });
    expect(seen).toHaveLength(6);
    const manual = await open()('repos', { redirect: 'manual' });
    expect([manual.status, manual.headers.get('location')]).toEqual([302, 'repos']);
    expect(await failing(open()('repos', { redirect: 'error' }))).toBeInstanceOf(TypeError);
  });

  test.each(['//127.0.0.1/', '../admin', '%2e%2e/admin', 'http://127.0.0.1:1/v1/', 'http://user:pass@127.0.0.1/v1/'])(
    '%s is refused before anything is sent',
    async (url) => {
      expect(await failing(open()(url))).toMatchObject({ code: 'service_host_refused' });
      expect(
        await failing(open()(url.startsWith('http') ? new Request(url.replace('user:pass@', '')) : url)),
      ).toMatchObject({
        code: 'service_host_refused',
      });
      expect(seen).toEqual([]);
    },
  );

  test.each([
    'https://127.0.0.1:PORT/',
    'https://[::1]:PORT/',
    'https://localhost:PORT/',
    'https://0x7f000001:PORT/',
    'https://169.254.169.254/',
  ])('a private address is not connected to unless the service allows it: %s', async (url) => {
    const baseUrl = url.replace('PORT', new URL(origin).port);
    const error = await failing(open({ baseUrl, allowPrivateAddresses: false })('repos'));
    expect(error).toMatchObject({ code: 'service_host_refused', message: expect.stringContaining('not public') });
    expect(seen).toEqual([]);
  });

  test('http: to what is public, also where private addresses are allowed', async () => {
    const fetch = open({ baseUrl: 'http://93.184.216.34/v1' });
    await expect(fetch('x')).rejects.toMatchObject({ code: 'service_host_refused' });
  });

  test('http: is for private addresses only, and a database is not fetched from', async () => {
    expect(await failing(open({ allowPrivateAddresses: false })('repos'))).toMatchObject({
      code: 'service_host_refused',
    });
    expect(
      await failing(open({ baseUrl: 'http://service.test/', allowPrivateAddresses: false })('repos')),
    ).toMatchObject({
      message: expect.stringContaining('http:'),
    });
    expect(await failing(open({ baseUrl: null })('repos'))).toBeInstanceOf(TypeError);
    expect(seen).toEqual([]);
  });
});

describe('after a rotation', () => {
  const previous: ServiceCredential = { type: 'bearer', token: 'the-secret-before' };
  beforeEach(() => {
    serve = ({ headers }, response) => {
      const isKnown = headers.authorization === 'Bearer the-secret-before';
      response.writeHead(isKnown ? 200 : 401).end(String(headers.authorization));
    };
  });

  test('a service that does not know the new secret yet is asked with the one before, once', async () => {
    const response = await open({ previous })('repos', { method: 'POST', body: 'x' });
    expect([response.status, await response.text()]).toEqual([200, 'Bearer [redacted]']);
    expect(seen.map(({ method, body }) => `${method} ${body}`)).toEqual(['POST x', 'POST x']);
  });

  test('where there is none, the answer is the service’s', async () => {
    const response = await open()('repos');
    expect([response.status, await response.text()]).toEqual([401, 'Bearer [redacted]']);
    expect(seen).toHaveLength(1);
  });

  test('one of what was set up elsewhere meanwhile does not go where the service was before', async () => {
    serve = (_, response) => response.writeHead(401).end('no');
    const fetch = open({ previous: { type: 'bearer', token: 'before-1234567890' }, previousBaseUrl: `${other}/v1` });
    expect((await fetch('x')).status).toBe(401);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${canary}`]);
  });

  test('a body that is a stream is not sent again', async () => {
    const init = { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit;
    expect((await open({ previous })('repos', init)).status).toBe(401);
    expect(seen).toHaveLength(1);
  });
});

test('when the call is over, what is under way ends, and nothing is begun', async () => {
  const over = new AbortController();
  serve = (_, response) => void response.write('begun');
  const fetch = open({ over });
  const response = await fetch('repos');
  over.abort(Object.assign(new Error('over'), { code: 'credential_escaped' }));
  expect(await failing(response.text())).toMatchObject({ code: 'credential_escaped' });
  expect(await failing(fetch('repos'))).toMatchObject({ code: 'credential_escaped' });
  expect(seen).toHaveLength(1);
});

test('a client certificate has connections of its own, which close with the call, once', async () => {
  let closed = 0;
  const shown: unknown[] = [];
  const own: ServiceNetwork = { ...network, close: async () => void closed++ };
  const shared: ServiceNetwork = {
    ...network,
    withCertificate(certificate) {
      shown.push(certificate);
      return own;
    },
  };
  const [certificate, privateKey] = ['-----BEGIN CERTIFICATE-----', '-----BEGIN PRIVATE KEY-----'];
  const ended: string[] = [];
  const caller = { endLease: async (id: string) => void ended.push(id) } as unknown as PersonServices;
  const issued = {
    service: { id: 'x', name: 'bank', kind: 'mtls', base_url: origin, allow_private_addresses: false },
    credential: { type: 'client_certificate', certificate, private_key: privateKey, certificate_authority: null },
    expires_in: 300,
    lease_id: 'lease',
    decision_id: 'x',
  } satisfies Parameters<typeof holdCredential>[0]['issued'];
  const source: ServiceSource = {
    clock: systemClock,
    network: shared,
    closed: new AbortController().signal,
    person: () => undefined,
  };
  const held = holdCredential({ caller, issued, sentAt: 0 }, { source, log: createLog(), renewLease });
  expect(held.network).toBe(own);
  expect(shown).toEqual([{ certificate, privateKey, certificateAuthority: undefined }]);
  await Promise.all([held.end(), held.end()]);
  expect([closed, ended]).toEqual([1, ['lease']]);
});

test('the end of the call ends what the tool would end later itself, too', async () => {
  const over = new AbortController();
  serve = (_, response) => void response.write('begun');
  const response = await open({ over })('repos', { signal: new AbortController().signal });
  const rest = failing(response.text());
  over.abort(Object.assign(new Error('over'), { code: 'credential_escaped' }));
  expect(await rest).toMatchObject({ code: 'credential_escaped' });
});
