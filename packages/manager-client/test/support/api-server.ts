import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}
export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** A real HTTP server that issues tokens and answers the API as told. */
export async function startApiServer() {
  const seen: SeenRequest[] = [];
  let tokens = 0;
  let answerToken: Answer = (_, response) => {
    json(response, 200, { access_token: `token-${++tokens}`, token_type: 'Bearer', expires_in: 600 });
  };
  let answerApi: Answer = (_, response) => problem(response, 404, 'not_found');

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      seen.push(one);
      (one.path === '/t/acme/token' ? answerToken : answerApi)(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer: `${base}/t/acme`,
    tokenRequests: () => seen.filter(({ path }) => path === '/t/acme/token'),
    apiRequests: () => seen.filter(({ path }) => path !== '/t/acme/token'),
    onToken: (answer: Answer) => (answerToken = answer),
    onApi: (answer: Answer) => (answerApi = answer),
    /** One answer a request; the last stays. */
    script(...answers: Answer[]) {
      let next = 0;
      answerApi = (request, response) => answers[Math.min(next++, answers.length - 1)]?.(request, response);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type ApiServer = Awaited<ReturnType<typeof startApiServer>>;

export function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function problem(response: ServerResponse, status: number, code: string, headers = {}): void {
  const body = { type: 'about:blank', title: `title of ${code}`, status, code, request_id: 'r-1' };
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(body));
}

export const sid = 'session-0000000001';
export const activeSession = {
  status: 'active',
  sid,
  tenant_id: 'acme',
  sub: 'ada',
  email: 'ada@acme.example',
  grants: { roles: ['admin'], groups: [], scopes: [], resources: [], permissions: [] },
  lease_seconds: 30,
  horizon_seconds: 3600,
  policy_version: '1',
};
