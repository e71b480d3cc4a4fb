import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Adapter, type AdapterPayload, Provider } from 'oidc-provider';
import { createHttpBrowser } from '../authorization-server/http-browser.js';
import { random } from './test-data.js';

export interface Fault {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Accepts the request and never answers. */
  readonly hang?: boolean;
  /** Ends the connection without an answer. */
  readonly reset?: boolean;
}

export interface ServiceRequest {
  readonly path: string;
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

/**
 * A service with accounts of its own: a real OAuth authorization server, whose refresh tokens are good once, and below
 * `/api` what belongs to the account of the bearer token.
 */
export interface OAuthService {
  readonly origin: string;
  readonly settings: {
    readonly token_endpoint: string;
    readonly authorization_endpoint: string;
    readonly revocation_endpoint: string;
    readonly issuer: string;
  };
  /** Who is signed in there; `undefined` refuses the request. */
  person: string | undefined;
  readonly requests: ServiceRequest[];
  /** What it does instead of answering, or undefined. */
  fault: ((request: ServiceRequest) => Fault | Promise<Fault | undefined> | undefined) | undefined;
  /** Awaited between what it did and its answer. */
  beforeAnswer: ((request: ServiceRequest) => Promise<void>) | undefined;
  newClient(): { readonly clientId: string; readonly clientSecret: string; redirectTo(url: string): void };
  /** The URL that a browser is sent back to, once its person agreed. */
  visit(url: string): Promise<string>;
  /** Whose token this is; undefined for none that counts. */
  holderOf(token: string): Promise<string | undefined>;
  tokenRequests(grantType: string): ServiceRequest[];
  close(): Promise<void>;
}

export async function startOAuthService(): Promise<OAuthService> {
  const clients = new Map<string, AdapterPayload>();
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rows = new Map<string, AdapterPayload>();
  const authorizationServer = new Provider(origin, {
    adapter: (model) => createAdapter(model, model === 'Client' ? clients : rows),
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access', 'repo'],
    pkce: { required: () => true },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
    },
    cookies: { keys: [random()] },
    interactions: { url: (_ctx, { uid }) => `/sign-in/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({
        clientId: client?.clientId ?? '',
        accountId: session?.accountId ?? '',
      });
      grant.addOIDCScope('openid offline_access repo');
      await grant.save();
      return grant;
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    ttl: { AccessToken: 3_600, ClientCredentials: 3_600, AuthorizationCode: 60, RefreshToken: 86_400, Grant: 86_400 },
  });
  const handle = authorizationServer.callback();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? '/', origin);
    const form = new URLSearchParams(await readBody(request));
    const told: ServiceRequest = { path, form, authorization: request.headers.authorization };
    service.requests.push(told);
    const fault = await service.fault?.(told);
    if (fault) return answerFault(response, fault);
    if (path.startsWith('/api/')) {
      const holder = await service.holderOf(told.authorization?.replace('Bearer ', '') ?? '');
      const repositories = [{ full_name: `${holder}/dotfiles`, description: null, private: true }];
      return answerFault(response, holder === undefined ? { status: 401 } : { body: JSON.stringify(repositories) });
    }
    if (path.startsWith('/sign-in/')) {
      const { person } = service;
      const result = person === undefined ? { error: 'access_denied' } : { login: { accountId: person } };
      return authorizationServer.interactionFinished(request, response, result);
    }
    const { beforeAnswer } = service;
    if (beforeAnswer) {
      const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
      response.end = ((...given: unknown[]) => {
        void beforeAnswer(told).then(() => end(...given));
        return response;
      }) as typeof response.end;
    }
    Object.assign(request, { body: Object.fromEntries(form) });
    await handle(request, response);
  }

  const service: OAuthService = {
    origin,
    settings: {
      token_endpoint: `${origin}/token`,
      authorization_endpoint: `${origin}/auth`,
      revocation_endpoint: `${origin}/token/revocation`,
      issuer: origin,
    },
    person: 'octocat',
    requests: [],
    fault: undefined,
    beforeAnswer: undefined,
    newClient() {
      // What RFC 6749 section 2.3.1 encodes before Basic does.
      const [clientId, clientSecret] = [`client ${random(6)}`, `canary:${random()} %+/=`];
      const metadata: AdapterPayload & { redirect_uris: string[] } = {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [],
        scope: 'openid offline_access repo',
      };
      metadata.redirect_uris = ['https://unused.test/callback'];
      clients.set(clientId, metadata);
      return { clientId, clientSecret, redirectTo: (url) => void (metadata.redirect_uris = [url]) };
    },
    async visit(url) {
      const page = await createHttpBrowser().get(url);
      const location = page.headers.get('location');
      if (location === null) throw new Error(`the service did not send back: ${page.status} ${page.text}`);
      return location;
    },
    async holderOf(token) {
      const found = await authorizationServer.AccessToken.find(token);
      if (found) return found.isValid ? found.accountId : undefined;
      const own = await authorizationServer.ClientCredentials.find(token);
      return own?.isValid ? own.clientId : undefined;
    },
    tokenRequests: (grantType) =>
      service.requests.filter(({ path, form }) => path === '/token' && form.get('grant_type') === grantType),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return service;
}

function answerFault(response: ServerResponse, { status = 200, headers = {}, body = '', hang, reset }: Fault): void {
  if (hang) return;
  if (reset) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function createAdapter(model: string, rows: Map<string, AdapterPayload>): Adapter {
  const keyOf = (id: string) => (model === 'Client' ? id : `${model}:${id}`);
  return {
    upsert: async (id, payload) => void rows.set(keyOf(id), payload),
    find: async (id) => rows.get(keyOf(id)),
    findByUserCode: async () => undefined,
    findByUid: async (uid) => [...rows.values()].find((row) => row.uid === uid),
    consume: async (id) => void Object.assign(rows.get(keyOf(id)) ?? {}, { consumed: Math.floor(Date.now() / 1000) }),
    destroy: async (id) => void rows.delete(keyOf(id)),
    revokeByGrantId: async (grantId) => {
      for (const [key, row] of rows) if (key.startsWith(`${model}:`) && row.grantId === grantId) rows.delete(key);
    },
  };
}
