import { describe, expect, test } from '@jest/globals';
import { startTestServer } from '../authorization-server/test-server.js';

/** How many of 130 requests are let through when each claims an address of its own. */
async function letThrough(trusted: string, forwarded: (n: number) => string): Promise<number> {
  const server = await startTestServer({}, { AUTHSEC_TRUSTED_PROXIES: trusted });
  try {
    const { issuer } = await server.createTenant();
    let count = 0;
    for (let n = 0; n < 130; n++) {
      const answer = await fetch(`${issuer}/auth`, { headers: { 'X-Forwarded-For': forwarded(n) } });
      await answer.body?.cancel();
      if (answer.status !== 429) count++;
    }
    return count;
  } finally {
    await server.close();
  }
}

const own = (n: number) => `198.51.${n}.1`;

describe('X-Forwarded-For', () => {
  test('counts where a proxy that was named says it', async () => {
    expect(await letThrough('127.0.0.1', own)).toBe(130);
  });

  test('from anywhere else is ignored', async () => {
    expect(await letThrough('10.0.0.0/8', own)).toBe(120);
  });

  test('what the client wrote before the proxy wrote is ignored', async () => {
    expect(await letThrough('127.0.0.1', (n) => `${own(n)}, 203.0.113.9`)).toBe(120);
  });
});
