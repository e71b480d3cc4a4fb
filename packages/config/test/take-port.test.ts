import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { takePort } from '../src/take-port.js';

describe('a port for a server that starts later', () => {
  test('is none that an outgoing connection is given meanwhile', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => takePort(0)));
    expect(ports.every((port) => port >= 20_000 && port < 32_000)).toBe(true);
    expect(new Set(ports).size).toBeGreaterThan(40);
  });

  test('is refused where one was asked for that is taken', async () => {
    const port = await takePort(0);
    const server = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(takePort(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => server.close(resolve));
    expect(await takePort(port)).toBe(port);
  });
});
