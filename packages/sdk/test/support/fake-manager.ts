import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

export interface FakeGrants {
  roles: string[];
  groups: string[];
  scopes: string[];
  resources: string[];
  permissions: string[];
}
export const noGrants: FakeGrants = { roles: [], groups: [], scopes: [], resources: [], permissions: [] };

interface FakeSession {
  sid: string;
  sub: string;
  mcpSession: string;
  bindKey?: string;
  token?: string;
  ended?: string;
  manifestDigest?: string;
  endedSequence?: number;
  /** Of a public client: the one that may be spent, and those that were. */
  refresh?: { current: string; spent: Set<string>; last?: { token: string; attempt: string | null } };
}

export interface PublishedManifest {
  tools: Record<string, unknown>[];
}

interface PushedLogin {
  parameters: URLSearchParams;
  code?: { value: string; sub: string; used: boolean };
}

interface WaitingPoll {
  after: [number, number];
  response: ServerResponse;
  since: number;
}

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers a request in place of the fake; `false` leaves it to the fake. */
export type Interceptor = (request: SeenRequest, response: ServerResponse) => boolean | Promise<boolean>;

export type TokenChange = {
  claims?: JWTPayload;
  header?: Record<string, unknown>;
  without?: string[];
  key?: Parameters<SignJWT['sign']>[0];
};

/** As much of a Manager, over real HTTP, as the SDK sees: one tenant, one application. */
export async function startFakeManager({ isPublic = false }: { isPublic?: boolean } = {}) {
  const clientId = 'demo';
  const clientSecret = 'a secret with spaces & +';
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };

  const people = new Map<string, FakeGrants>();
  const logins = new Map<string, PushedLogin>();
  const sessions = new Map<string, FakeSession>();
  const requests: SeenRequest[] = [];
  const manifests = new Map<string, PublishedManifest>();
  const polls = new Set<WaitingPoll>();
  let policyVersion = 1;
  let sequence = 0;
  let horizonSeconds = 36_000;
  let leaseSeconds = 30;
  let sessionTokenSeconds = 600;
  let offersToken = false;
  let loseAnswer = false;
  let intercept: Interceptor | undefined;
  let tokenChange: TokenChange = {};

  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;
  const issuer = `${base}/t/acme`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const seen = { method: request.method!, path: request.url!, headers: request.headers, body };
    requests.push(seen);
    if (intercept && (await intercept(seen, response))) return;
    const url = new URL(seen.path, base);
    if (url.pathname === '/t/acme/jwks') return json(response, 200, { keys: [jwk] });
    if (url.pathname === '/t/acme/go') return go(seen, response);
    if (url.pathname === '/t/acme/token') return token(seen, response);
    if (!seen.headers.authorization?.startsWith('Bearer api-')) return problem(response, 401, 'invalid_token');
    if (url.pathname === '/v1/sessions' && seen.method === 'POST') return bind(seen, response);
    if (url.pathname === '/v1/sessions/renew') return renew(seen, response);
    if (url.pathname === '/v1/changes') return changes(url, response);
    if (url.pathname.startsWith('/v1/manifests')) return keepManifest(seen, url, response);
    if (seen.method === 'DELETE') {
      const sid = url.pathname.split('/').at(-1)!;
      if (!sessions.has(sid)) return problem(response, 404, 'not_found');
      endSession(sid, url.searchParams.get('reason')!);
      response.writeHead(204).end();
      return;
    }
    problem(response, 404, 'not_found');
  }

  function isClient(seen: SeenRequest): boolean {
    if (isPublic) {
      return seen.headers.authorization === undefined && new URLSearchParams(seen.body).get('client_id') === clientId;
    }
    const [id, secret] = Buffer.from(seen.headers.authorization?.slice(6) ?? '', 'base64')
      .toString()
      .split(':');
    const decode = (text = '') => new URLSearchParams(`v=${text}`).get('v');
    return decode(id) === clientId && decode(secret) === clientSecret;
  }

  function go(seen: SeenRequest, response: ServerResponse): void {
    const parameters = new URLSearchParams(seen.body);
    if (!isClient(seen)) return json(response, 401, { error: 'invalid_client' });
    const id = randomBytes(16).toString('base64url');
    logins.set(id, { parameters });
    json(response, 201, {
      authorization_url: `${issuer}/go/${id}`,
      expires_in: 600,
      audience: `urn:authsec:application:${clientId}`,
      ...(offersToken && { paste_token: true }),
    });
  }

  async function token(seen: SeenRequest, response: ServerResponse): Promise<void> {
    const parameters = new URLSearchParams(seen.body);
    if (!isClient(seen)) return json(response, 401, { error: 'invalid_client' });
    if (parameters.get('grant_type') === 'client_credentials') {
      return json(response, 200, { access_token: `api-${randomUUID()}`, token_type: 'Bearer', expires_in: 600 });
    }
    if (parameters.get('grant_type') === 'refresh_token') return refresh(parameters, response);
    const login = [...logins.values()].find(({ code }) => code?.value === parameters.get('code'));
    const challenge = createHash('sha256').update(parameters.get('code_verifier')!).digest('base64url');
    const matches =
      login?.code &&
      !login.code.used &&
      login.parameters.get('code_challenge') === challenge &&
      login.parameters.get('redirect_uri') === parameters.get('redirect_uri');
    if (!matches) return json(response, 400, { error: 'invalid_grant' });
    login.code!.used = true;
    const session = createSession(login);
    json(response, 200, await tokensOf(session));
  }

  function createSession({ code, parameters }: PushedLogin): FakeSession {
    const sid = randomBytes(16).toString('base64url');
    const session: FakeSession = { sid, sub: code!.sub, mcpSession: parameters.get('mcp_session')! };
    sessions.set(sid, session);
    return session;
  }

  async function tokensOf(session: FakeSession) {
    const { sub, sid, mcpSession } = session;
    const accessToken = await signToken({ sub, sid, mcp_session: mcpSession }, tokenChange);
    const tokens = { access_token: accessToken, token_type: 'Bearer', expires_in: 900 };
    if (!isPublic) return tokens;
    session.refresh ??= { current: '', spent: new Set() };
    session.refresh.spent.add(session.refresh.current);
    session.refresh.current = `refresh-${randomUUID()}`;
    return {
      ...tokens,
      refresh_token: session.refresh.current,
      session_token: `api-session-${randomUUID()}`,
      session_token_expires_in: sessionTokenSeconds,
    };
  }

  async function refresh(parameters: URLSearchParams, response: ServerResponse): Promise<void> {
    const token = parameters.get('refresh_token')!;
    const attempt = parameters.get('refresh_attempt');
    const isRepeated = ({ refresh: own }: FakeSession) =>
      attempt !== null && own?.last?.token === token && own.last.attempt === attempt;
    const session = [...sessions.values()].find((one) => one.refresh?.current === token || isRepeated(one));
    if (session?.refresh && !session.ended) {
      session.refresh.last = { token, attempt };
      const tokens = await tokensOf(session);
      if (loseAnswer) {
        loseAnswer = false;
        await new Promise<void>((resolve) => response.socket?.once('close', () => resolve()));
        return;
      }
      return json(response, 200, tokens);
    }
    const reused = [...sessions.values()].find((one) => one.refresh?.spent.has(token));
    if (reused) endSession(reused.sid, 'revoked');
    json(response, 400, { error: 'invalid_grant' });
  }

  async function signToken(claims: JWTPayload, change: TokenChange = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload: JWTPayload = {
      iss: issuer,
      aud: `urn:authsec:application:${clientId}`,
      client_id: clientId,
      tenant_id: 'acme',
      email: `${String(claims.sub)}@acme.example`,
      roles: [],
      groups: [],
      scopes: [],
      resources: [],
      jti: randomUUID(),
      iat: now,
      nbf: now,
      exp: now + 900,
      ...claims,
      ...change.claims,
    };
    for (const name of change.without ?? []) delete payload[name];
    const header = { alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...change.header };
    if (header.alg === 'none') {
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${part(header)}.${part(payload)}.`;
    }
    return new SignJWT(payload).setProtectedHeader(header).sign(change.key ?? privateKey);
  }

  function bind(seen: SeenRequest, response: ServerResponse): void {
    const body = JSON.parse(seen.body) as Record<string, string>;
    const { access_token: accessToken, mcp_session: mcpSession, manifest_digest: manifestDigest } = body;
    const claims = JSON.parse(Buffer.from(accessToken?.split('.')[1] ?? '', 'base64url').toString()) as { sid: string };
    const session = sessions.get(claims.sid);
    if (!session) return problem(response, 400, 'person_token_invalid');
    if (session.mcpSession !== mcpSession) return problem(response, 409, 'token_not_for_this_session');
    const key = seen.headers['idempotency-key'] as string;
    if (session.bindKey && session.bindKey !== key) return problem(response, 409, 'token_already_used');
    session.bindKey = key;
    if (manifestDigest !== undefined) session.manifestDigest = manifestDigest;
    json(response, 201, view(session));
  }

  function keepManifest(seen: SeenRequest, url: URL, response: ServerResponse): void {
    const digest = url.searchParams.get('digest') ?? url.pathname.split('/').at(-1)!;
    if (seen.method === 'GET')
      return json(response, 200, { manifests: manifests.has(digest) ? [summary(digest)] : [] });
    manifests.set(digest, JSON.parse(seen.body) as PublishedManifest);
    json(response, 201, summary(digest));
  }

  function summary(digest: string) {
    const at = new Date().toISOString();
    const manifest = { digest, client_id: clientId, sequence: '1', current: true, created_at: at, last_used_at: at };
    return { ...manifest, tool_count: manifests.get(digest)!.tools.length, previous_digest: null, changes: null };
  }

  function renew(seen: SeenRequest, response: ServerResponse): void {
    const asked = JSON.parse(seen.body) as { sids: string[]; manifests?: { sid: string; digest: string }[] };
    for (const { sid, digest } of asked.manifests ?? []) sessions.get(sid)!.manifestDigest = digest;
    const { sids } = asked;
    const answer = sids.map((sid) => {
      const session = sessions.get(sid);
      return session ? view(session) : { status: 'ended', sid, reason: 'unknown' };
    });
    json(response, 200, { sessions: answer });
  }

  function view(session: FakeSession) {
    if (session.ended) return { status: 'ended', sid: session.sid, reason: session.ended };
    return {
      status: 'active',
      sid: session.sid,
      tenant_id: 'acme',
      sub: session.sub,
      email: `${session.sub}@acme.example`,
      grants: people.get(session.sub) ?? noGrants,
      lease_seconds: leaseSeconds,
      horizon_seconds: horizonSeconds,
      policy_version: String(policyVersion),
    };
  }

  function changes(url: URL, response: ServerResponse): void {
    const after = url.searchParams.get('after')?.split('.').map(Number) as [number, number] | undefined;
    if (!after) return answerPoll({ after: [policyVersion, sequence], response, since: performance.now() });
    const poll = { after, response, since: performance.now() };
    if (after[0] !== policyVersion || after[1] !== sequence) return answerPoll(poll);
    polls.add(poll);
    response.on('close', () => polls.delete(poll));
  }

  function answerPoll(poll: WaitingPoll, heldMs = performance.now() - poll.since): void {
    polls.delete(poll);
    const ended = [...sessions.values()]
      .filter((session) => (session.endedSequence ?? 0) > poll.after[1])
      .map(({ sid, ended }) => ({ sid, reason: ended }));
    json(poll.response, 200, {
      cursor: `${policyVersion}.${sequence}`,
      policy_changed: poll.after[0] !== policyVersion,
      ended,
      held_ms: heldMs,
    });
  }

  function wake(): void {
    for (const poll of polls) answerPoll(poll);
  }

  function endSession(sid: string, reason: string): void {
    const session = sessions.get(sid);
    if (!session || session.ended) return;
    session.ended = reason;
    session.endedSequence = ++sequence;
    wake();
  }

  return {
    isPublic,
    issuer,
    clientId,
    clientSecret,
    privateKey,
    publicKey,
    sessions,
    logins,
    requests,
    manifests,
    signToken,
    endSession,
    /** Polls that wait for a change. */
    waitingPolls: () => polls.size,
    /** Ends the wait of all polls as their time being over would. */
    releasePolls(heldMs: number) {
      for (const poll of polls) answerPoll(poll, heldMs);
    },
    setGrants(sub: string, grants: Partial<FakeGrants>) {
      people.set(sub, { ...noGrants, ...grants });
      policyVersion++;
      wake();
    },
    setTimes(times: { leaseSeconds?: number; horizonSeconds?: number }) {
      leaseSeconds = times.leaseSeconds ?? leaseSeconds;
      horizonSeconds = times.horizonSeconds ?? horizonSeconds;
    },
    changeTokens(change: TokenChange) {
      tokenChange = change;
    },
    intercept(interceptor: Interceptor | undefined) {
      intercept = interceptor;
    },
    /** From now on every connection breaks, those that wait included. */
    goAway() {
      intercept = (_, response) => {
        response.socket?.destroy();
        return true;
      };
      server.closeAllConnections();
    },
    comeBack() {
      intercept = undefined;
    },
    /** The last page also offers the JWT, or does not any more. */
    offerToken(offers = true) {
      offersToken = offers;
    },
    /** What a person reads behind the click on that page. */
    async approveForToken(authorizationUrl: string, sub: string): Promise<string> {
      const login = logins.get(authorizationUrl.split('/').at(-1)!)!;
      login.code = { value: randomBytes(24).toString('base64url'), sub, used: false };
      const { sid, mcpSession } = createSession(login);
      return signToken({ sub, sid, mcp_session: mcpSession, paste_token: true });
    },
    /** Where the browser is sent when the person approves, or what the parameters say instead. */
    sendBack(authorizationUrl: string, sub: string, change: Record<string, string> = {}): string {
      const login = logins.get(authorizationUrl.split('/').at(-1)!)!;
      login.code = { value: randomBytes(24).toString('base64url'), sub, used: false };
      const back = new URL(login.parameters.get('redirect_uri')!);
      const said = 'error' in change ? {} : { code: login.code.value };
      for (const [name, value] of Object.entries({
        ...said,
        state: login.parameters.get('state')!,
        iss: issuer,
        ...change,
      })) {
        back.searchParams.set(name, value);
      }
      return back.href;
    },
    /** The next refresh is done, and its answer comes never. */
    loseNextRefresh() {
      loseAnswer = true;
    },
    setSessionTokenSeconds(seconds: number) {
      sessionTokenSeconds = seconds;
    },
    /** What a person does in the browser: signs in, approves, and reads the code. */
    approve(authorizationUrl: string, sub: string): string {
      const login = logins.get(authorizationUrl.split('/').at(-1)!)!;
      login.code = { value: randomBytes(24).toString('base64url'), sub, used: false };
      return login.code.value;
    },
    count(method: string, path: string): number {
      return requests.filter((request) => request.method === method && request.path.split('?')[0] === path).length;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type FakeManager = Awaited<ReturnType<typeof startFakeManager>>;

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function problem(response: ServerResponse, status: number, code: string): void {
  const body = { type: 'about:blank', title: code, status, code, request_id: 'r1' };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
