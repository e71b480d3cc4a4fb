import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LookupAddress } from 'node:dns';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuardedFetch, type GuardedFetchOptions } from '../../src/integrations/guarded-fetch.js';
import { FetchRefused, type GuardedFetch } from '../../src/ports/guarded-fetch.js';

const strict = { allowHttp: true, allowPrivateAddresses: false };
const lenient = { allowHttp: true, allowPrivateAddresses: true };

describe('the guarded fetch', () => {
  let server: Server;
  let port: number;
  let hits: string[] = [];
  let serve: (response: ServerResponse) => void = (response) => response.end('{"ok":true}');
  const open: GuardedFetch[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      hits.push(`${request.method} ${request.url}`);
      serve(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await Promise.all(open.map((fetch) => fetch.close()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function create(options: GuardedFetchOptions): GuardedFetch {
    const fetch = createGuardedFetch(options);
    open.push(fetch);
    hits = [];
    return fetch;
  }
  /** A name server whose answers, one after the other, are these. */
  function answers(...rounds: string[][]): Required<Pick<GuardedFetchOptions, 'lookup'>> & { asked: () => number } {
    let asked = 0;
    return {
      asked: () => asked,
      lookup(_hostname, done) {
        const round = rounds[Math.min(asked++, rounds.length - 1)]!;
        const addresses: LookupAddress[] = round.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        setImmediate(() => done(null, addresses));
      },
    };
  }
  const refusal = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FetchRefused);
    return (error as FetchRefused).reason;
  };

  test.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://0x7f000001:PORT/',
    'http://2130706433:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://0:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://１２７.0.0.1:PORT/',
    'http://127.0.0.1.:PORT/',
  ])('%s is refused before anything is sent', async (url) => {
    expect(await refusal(create(strict)(url.replace('PORT', String(port))))).toBe('address');
    expect(hits).toEqual([]);
  });

  test('a name whose answer has a private address among public ones is refused', async () => {
    const dns = answers(['93.184.216.34', '127.0.0.1']);
    expect(await refusal(create({ ...strict, ...dns })(`http://idp.test:${port}/`))).toBe('address');
    expect(hits).toEqual([]);
  });

  test('a name that is public when it is looked at and private later is refused: the look-up is the connection’s own', async () => {
    const dns = answers(['192.0.2.1'], ['127.0.0.1']);
    const fetch = create({ ...strict, ...dns });
    expect(await refusal(fetch(`http://idp.test:${port}/first`))).toBe('address');
    expect(await refusal(fetch(`http://idp.test:${port}/second`))).toBe('address');
    expect(hits).toEqual([]);
  });

  test('one look-up a connection: what was judged is what is connected to', async () => {
    const dns = answers(['127.0.0.1'], ['169.254.169.254']);
    const fetch = create({ ...lenient, ...dns });
    expect(await (await fetch(`http://idp.test:${port}/`)).json()).toEqual({ ok: true });
    expect(dns.asked()).toBe(1);
    expect(hits).toEqual(['GET /']);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    serve = (response) => response.writeHead(status, { location: `http://127.0.0.1:${port}/private` }).end();
    expect(await refusal(create(lenient)(`http://127.0.0.1:${port}/start`))).toBe('redirect');
    expect(hits).toEqual(['GET /start']);
  });

  test('http is refused unless allowed; other schemes and credentials always', async () => {
    const fetch = create({ allowHttp: false, allowPrivateAddresses: true });
    expect(await refusal(fetch(`http://127.0.0.1:${port}/`))).toBe('scheme');
    for (const url of ['file:///etc/passwd', 'ftp://example.com/', 'data:,x', 'javascript:1', 'gopher://127.0.0.1/']) {
      expect(await refusal(create(lenient)(url))).toBe('scheme');
    }
    expect(await refusal(create(lenient)(`http://user:secret@127.0.0.1:${port}/`))).toBe('url');
    expect(await refusal(create(lenient)('not a url'))).toBe('url');
    expect(hits).toEqual([]);
  });

  test('an answer beyond the limit is not read to its end', async () => {
    let sent = 0;
    serve = (response) => {
      const chunk = Buffer.alloc(16_384, 0x20);
      const write = () => {
        while (!response.destroyed && sent < 64 * 1024 * 1024) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', write);
            return;
          }
        }
      };
      write();
    };
    expect(await refusal(create({ ...lenient, maxBytes: 100_000 })(`http://127.0.0.1:${port}/`))).toBe('size');
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('an answer that drips is given up when the time is over', async () => {
    serve = (response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
    };
    expect(await refusal(create({ ...lenient, timeoutMs: 200 })(`http://127.0.0.1:${port}/`))).toBe('timeout');
  });

  test('who asks can give up earlier', async () => {
    serve = () => {};
    const controller = new AbortController();
    const asked = create(lenient)(`http://127.0.0.1:${port}/`, { signal: controller.signal });
    controller.abort();
    expect(await refusal(asked)).toBe('aborted');
  });

  test('a message names the host, never the path or query', async () => {
    serve = (response) => response.writeHead(302).end();
    const error = await create(lenient)(`http://127.0.0.1:${port}/secret-path?code=secret-code`).catch(
      (reason: Error) => reason,
    );
    expect(String((error as Error).message)).not.toMatch(/secret/);
  });
});
