import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type LoopbackAnswer, type LoopbackListener, openLoopback } from '../../src/session/loopback-listener.js';

const issuer = 'https://authsec.example/t/acme';
const state = 'the-state-of-this-login';
const open = new Set<LoopbackListener>();
afterEach(() => {
  for (const listener of open) listener.close();
  open.clear();
});

async function listen(outcome: 'signed_in' | 'refused' | 'failed' = 'signed_in') {
  const onAnswer = jest.fn(async (_answer: LoopbackAnswer) => outcome);
  const listener = await openLoopback({ issuer, state, onAnswer });
  open.add(listener);
  return { listener, onAnswer, ...listener };
}

/** As a browser would be sent back; undefined leaves a parameter out. */
function back(redirectUri: string, change: Record<string, string | undefined> = {}): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries({ code: 'the-code', state, iss: issuer, ...change })) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

function ask(url: string, options: { method?: string; host?: string } = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', host } = options;
    const sent = request(url, { method, headers: host === undefined ? {} : { host } }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('the end of a login on loopback', () => {
  test('is at an address of this machine alone, with a port that the system gives', async () => {
    const { redirectUri } = await listen();
    const { hostname, port, pathname } = new URL(redirectUri);
    expect([hostname, pathname]).toEqual(['127.0.0.1', '/callback']);
    expect(Number(port)).toBeGreaterThan(1023);
    const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address, internal, family } of others) {
      if (internal || family !== 'IPv4') continue;
      await expect(
        new Promise((resolve, reject) => connect(Number(port), address).once('connect', resolve).once('error', reject)),
      ).rejects.toThrow();
    }
  });

  test('hands on the code and tells the person what came of it, on a page that runs and fetches nothing', async () => {
    const { redirectUri, onAnswer } = await listen();
    const answer = await fetch(back(redirectUri));
    expect(onAnswer.mock.calls).toEqual([[{ kind: 'code', code: 'the-code' }]]);
    const text = await answer.text();
    expect(text).toContain('<h1>You are signed in</h1>');
    expect(text).not.toMatch(/<script|the-code|the-state|https?:/);
    const headers = Object.fromEntries(answer.headers);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+';/);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  test.each([
    ['refused', { code: undefined, error: 'access_denied' }, 'You refused'],
    ['failed', {}, 'could not be finished'],
  ] as const)('says so where the login was %s', async (outcome, change, said) => {
    const { redirectUri } = await listen(outcome);
    expect(await (await fetch(back(redirectUri, change))).text()).toContain(said);
  });

  test('answers once: the port is given back with the answer', async () => {
    const { redirectUri, onAnswer } = await listen();
    expect((await fetch(back(redirectUri))).status).toBe(200);
    await expect(fetch(back(redirectUri))).rejects.toThrow();
    expect(onAnswer).toHaveBeenCalledTimes(1);
  });

  test('hands on one of two answers of the same moment', async () => {
    const { redirectUri, onAnswer } = await listen();
    await Promise.allSettled([1, 2, 3, 4].map(() => fetch(back(redirectUri))));
    expect(onAnswer).toHaveBeenCalledTimes(1);
  });

  test('is over when it is closed', async () => {
    const { redirectUri, close, onAnswer } = await listen();
    close();
    await expect(fetch(back(redirectUri))).rejects.toThrow();
    expect(onAnswer).not.toHaveBeenCalled();
  });
});

describe('what is not the end of this login is not taken, and does not end it', () => {
  test.each<[string, Record<string, string | undefined>]>([
    ['without a state', { state: undefined }],
    ['with another state', { state: 'of-another-login' }],
    ['without an issuer', { iss: undefined }],
    ['of another issuer', { iss: 'https://attacker.example/t/acme' }],
    ['of another tenant', { iss: 'https://authsec.example/t/globex' }],
    ['without a code', { code: undefined }],
    ['with an empty code', { code: '' }],
    ['with a code and an error', { error: 'access_denied' }],
    ['with an error that is none', { code: undefined, error: '<script>' }],
    ['with a code that is none', { code: 'a\u0000b' }],
    ['with a code that is too long', { code: 'x'.repeat(2_049) }],
  ])('a redirect %s', async (_name, change) => {
    const { redirectUri, onAnswer } = await listen();
    expect((await fetch(back(redirectUri, change))).status).toBe(404);
    expect((await fetch(back(redirectUri))).status).toBe(200);
    expect(onAnswer).toHaveBeenCalledTimes(1);
  });

  test.each<[string, (url: string) => Promise<{ status: number }>]>([
    ['a name that was bound to this address', (url) => ask(url, { host: 'attacker.example' })],
    ['a name for the address', (url) => ask(url, { host: `localhost:${new URL(url).port}` })],
    ['the address without its port', (url) => ask(url, { host: '127.0.0.1' })],
    ['a form', (url) => ask(url, { method: 'POST' })],
    ['a preflight', (url) => ask(url, { method: 'OPTIONS' })],
    ['another path', (url) => ask(url.replace('/callback', '/'))],
    ['a path below', (url) => ask(url.replace('/callback', '/callback/x'))],
    ['the same path, written otherwise', (url) => ask(url.replace('/callback', '/%63allback'))],
    ['a state that is given twice', (url) => ask(`${url}&state=${state}`)],
    ['a code that is given twice', (url) => ask(`${url}&code=another`)],
  ])('a request by %s', async (_name, send) => {
    const { redirectUri, onAnswer } = await listen();
    expect((await send(back(redirectUri))).status).toBe(404);
    expect(onAnswer).not.toHaveBeenCalled();
    expect((await fetch(back(redirectUri))).status).toBe(200);
  });
});
