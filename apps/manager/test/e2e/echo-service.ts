import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A service that says back whatever it is asked with, in every way that it can. */
export interface EchoService {
  readonly url: string;
  /** What it was asked so far: targets, headers, bodies. */
  received(): string;
  close(): Promise<void>;
}

export interface EchoOptions {
  /** What `/token` gives, as an authorization server would. */
  readonly accessToken: string;
  /** `/only` answers 401 to what does not hold this. */
  readonly only: string;
}

/** `/echo?status=…`, `/slow` (in pieces), `/away` (to another host), `/only`, `/token`. */
export async function startEchoService({ accessToken, only }: EchoOptions): Promise<EchoService> {
  let received = '';
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://echo');
      const asked = JSON.stringify({ target: request.url, headers: request.headers, body });
      received += `${asked}\n`;
      if (pathname === '/token') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ access_token: accessToken, token_type: 'Bearer', expires_in: 60 }));
        return;
      }
      if (pathname === '/away') {
        response.writeHead(302, { location: `http://localhost:1/?${asked}` }).end();
        return;
      }
      const authorization = request.headers.authorization ?? '';
      response.statusCode =
        pathname === '/only' && !authorization.includes(only) ? 401 : Number(searchParams.get('status') ?? 200);
      response.setHeader('x-echo', encodeURIComponent(authorization));
      const bare = authorization.replace(/^\w+ /, '');
      const said = [asked, bare, encodeURIComponent(bare), request.url ?? ''];
      const texts = said.flatMap((text) => [
        text,
        Buffer.from(text).toString('base64'),
        Buffer.from(`x${text}`).toString('base64url'),
        Buffer.from(`xy${text}`).toString('base64'),
        Buffer.from(text).toString('hex'),
      ]);
      if (pathname !== '/slow') {
        response.end(texts.join('\n'));
        return;
      }
      for (const piece of texts.join('\n').match(/[^]{1,37}/g) ?? []) {
        response.write(piece);
        await delay(0);
      }
      response.end();
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
