import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below what systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere), and above the well-known. */
const [lowest, beyond] = [20_000, 32_000];
const attempts = 20;

/**
 * A port of 127.0.0.1 that nobody listens on; rejects as `listen` does when the wanted one is taken. 0 takes a free one,
 * of those that no outgoing connection is given before the server that it is for begins to listen.
 */
export async function takePort(wanted: number): Promise<number> {
  if (wanted !== 0) return probe(wanted);
  for (let attempt = 1; attempt < attempts; attempt++) {
    const found = await probe(randomInt(lowest, beyond)).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return probe(randomInt(lowest, beyond));
}

function probe(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(port)));
  });
}
