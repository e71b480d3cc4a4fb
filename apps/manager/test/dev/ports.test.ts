import { describe, expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import { claimPort } from '../../src/dev/ports.js';

describe('ports', () => {
  test('one that is taken is named together with its setting', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const claim = claimPort({ port, setting: 'AUTHSEC_DEMO_PORT', owner: 'the demo', patienceMs: 0 });
    await expect(claim).rejects.toThrow(new RegExp(`Port ${port} .*already taken.*AUTHSEC_DEMO_PORT=`));
    await new Promise((resolve) => server.close(resolve));
  });

  test('0 takes a free one', async () => {
    const port = await claimPort({ port: 0, setting: 'X', owner: 'x', patienceMs: 0 });
    expect(port).toBeGreaterThan(1024);
  });
});
