import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collector {
  readonly url: string;
  /** What came, by its path; protobuf has texts as they are. */
  readonly received: readonly {
    readonly path: string;
    readonly authorization: string | undefined;
    readonly body: string;
  }[];
  /** Resolves once something came to this path that has this text. */
  has(path: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** Takes OTLP over HTTP; `answers: false` leaves everything without an answer. */
export async function startCollector({ answers = true } = {}): Promise<Collector> {
  const received: { path: string; authorization: string | undefined; body: string }[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization } = request.headers;
      received.push({ path: request.url ?? '', authorization, body: Buffer.concat(chunks).toString('latin1') });
      waiting.forEach((look) => look());
      if (answers) response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    has: (path, text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!received.some((one) => one.path === path && one.body.includes(text))) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
