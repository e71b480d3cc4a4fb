import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { ContainerParts } from '../../src/container.js';
import type { NewApplication } from '../../src/modules/applications/application.js';
import { createApplication } from '../../src/modules/applications/applications.service.js';
import { hashPassword } from '../../src/modules/sign-in/passwords.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

export interface TestServer extends TestManager {
  readonly url: string;
  /** A second process's worth of Manager, on the same databases, under the same URL as far as it knows; gives where it listens. */
  listenAnother(parts?: ContainerParts): Promise<string>;
}

/** A Manager that really listens, on http and a free port. */
export async function startTestServer(
  parts: ContainerParts = {},
  settings: Record<string, string> = {},
): Promise<TestServer> {
  const servers: Server[] = [];
  const { server, origin, serve } = await listen();
  servers.push(server);
  const env = { AUTHSEC_URL: origin, AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1', ...settings };
  const manager = await createTestManager(parts, env);
  serve(manager.app);
  return {
    ...manager,
    url: origin,
    async listenAnother(own = {}) {
      const { app } = await manager.another(own);
      const second = await listen();
      servers.push(second.server);
      second.serve(app);
      return second.origin;
    },
    async close() {
      for (const one of servers) {
        one.closeAllConnections();
        await new Promise((resolve) => one.close(resolve));
      }
      await manager.close();
    },
  };
}

async function listen() {
  let app: Express | undefined;
  const server = createServer((request, response) => void app?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, origin, serve: (own: Express) => void (app = own) };
}

export interface TestClient {
  readonly id: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** An Authorization header of HTTP Basic. */
  readonly basic: string;
}

/** An application with the completion page, unless said otherwise. */
export async function createClient(tenant: TestTenant, input: Partial<NewApplication> = {}): Promise<TestClient> {
  const {
    id,
    clientId,
    clientSecret = '',
  } = await createApplication(tenant.db, {
    name: 'Demo tools',
    completionPage: true,
    resourceUrl: 'https://mcp.example.test/mcp',
    scopes: ['read', 'calculate'],
    ...input,
  });
  return { id, clientId, clientSecret, basic: basicOf(clientId, clientSecret) };
}

export function basicOf(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
}

export const password = 'correct horse battery staple';

export async function givePassword(tenant: TestTenant, userId: string): Promise<void> {
  await tenant.db.passwordCredential.create({ data: { userId, passwordHash: await hashPassword(password) } });
}

export interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
}

export function createPkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** POST of a form, with Basic authentication where a client is given. */
export function post(url: string, fields: Record<string, string>, basic?: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: basic === undefined ? {} : { authorization: basic },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
}

export interface Push {
  readonly response: Response;
  readonly authorizationUrl: string;
  readonly mcpSession: string;
  readonly pkce: Pkce;
}

/** What `oauth_start` sends. */
export async function pushLogin(
  issuer: string,
  client: TestClient,
  fields: Record<string, string> = {},
): Promise<Push> {
  const pkce = createPkce();
  const mcpSession = randomBytes(16).toString('base64url');
  const response = await post(
    `${issuer}/go`,
    {
      client_id: client.clientId,
      response_type: 'code',
      response_mode: 'oob',
      redirect_uri: `${issuer}/completion`,
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
      state: randomBytes(16).toString('base64url'),
      mcp_session: mcpSession,
      client_name: 'Test client',
      ...fields,
    },
    client.basic,
  );
  const body = (await response.clone().json()) as { authorization_url?: string };
  return { response, authorizationUrl: body.authorization_url ?? '', mcpSession, pkce };
}

export function redeem(
  issuer: string,
  client: TestClient,
  { code, verifier }: { code: string; verifier: string },
  at: string = issuer,
): Promise<Response> {
  return post(
    `${at}/token`,
    {
      grant_type: 'authorization_code',
      client_id: client.clientId,
      code,
      redirect_uri: `${issuer}/completion`,
      code_verifier: verifier,
    },
    client.basic,
  );
}
