import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
}

export interface HttpServer {
  readonly port: number;
  /** For new connections; without effect where it does not speak TLS. */
  replaceTls(tls: TlsPair): void;
  /** Takes no new connections, lets what is under way end, and after the grace closes what is left. */
  close(graceMs?: number): Promise<void>;
}

/** Rejects where the address cannot be had. */
export async function listen(
  app: RequestListener,
  { host, port, tls }: { host: string; port: number; tls?: TlsPair | undefined },
): Promise<HttpServer> {
  const limits = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000, maxHeaderSize: 32_768 };
  const tlsServer = tls && createTlsServer({ ...limits, ...tls }, app);
  const server = tlsServer ?? createServer(limits, app);
  let closing = false;
  // A connection that was busy when the server closed would otherwise be kept alive after its answer.
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    replaceTls: (next) => tlsServer?.setSecureContext(next),
    close: (graceMs = 10_000) =>
      new Promise<void>((resolve) => {
        closing = true;
        const timer = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
