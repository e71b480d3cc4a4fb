import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Clock } from '../clock.js';
import type { Person } from './test-people.js';
import type { TestSessions } from './test-sessions.js';

interface PushedLogin {
  readonly parameters: URLSearchParams;
  readonly expiresAt: number;
  code?: { readonly value: string; readonly email: string; usedBy?: string };
}

/** What the OAuth endpoints of a Manager in memory answer: a status and a JSON body. */
export interface OAuthAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The authorization server of one application of one tenant, without its pages. */
export interface TestLogins {
  readonly jwks: { readonly keys: readonly object[] };
  push(parameters: URLSearchParams): OAuthAnswer;
  token(parameters: URLSearchParams): Promise<OAuthAnswer>;
  /** The person opens the link, signs in and approves: the code that the last page shows. Throws where there is no such login. */
  approve(authorizationUrl: string, person: Person): string;
  isApiToken(token: string): boolean;
}

const loginSeconds = 600;
const tokenSeconds = 900;

export async function createTestLogins(options: {
  readonly issuer: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clock: Clock;
  readonly people: ReadonlyMap<string, Person>;
  readonly sessions: TestSessions;
}): Promise<TestLogins> {
  const { issuer, tenantId, clientId, clock, people, sessions } = options;
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const kid = randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  const audience = `urn:authsec:application:${clientId}`;
  const logins = new Map<string, PushedLogin>();
  const apiTokens = new Set<string>();

  async function redeem(parameters: URLSearchParams): Promise<OAuthAnswer> {
    const given = parameters.get('code');
    const login = [...logins.values()].find(({ code }) => code?.value === given);
    const code = login?.code;
    if (!login || !code) return refused('invalid_grant');
    if (code.usedBy !== undefined) {
      const session = sessions.find(code.usedBy);
      if (session) sessions.end(session, 'revoked');
      return refused('invalid_grant');
    }
    const asked = login.parameters;
    const challenge = createHash('sha256')
      .update(parameters.get('code_verifier') ?? '')
      .digest('base64url');
    if (asked.get('code_challenge') !== challenge || asked.get('redirect_uri') !== parameters.get('redirect_uri')) {
      return refused('invalid_grant');
    }
    const person = people.get(code.email);
    if (!person) return refused('invalid_grant');
    const mcpSession = asked.get('mcp_session') ?? '';
    const session = sessions.open({ person, mcpSession, clientName: asked.get('client_name') });
    code.usedBy = session.sid;
    return tokenAnswer(await signFor(person, session.sid, mcpSession), tokenSeconds);
  }

  function signFor(person: Person, sid: string, mcpSession: string): Promise<string> {
    const { roles, groups, scopes, resources } = person.grantsAt(clock.wall()).grants;
    // jose reads the system's clock.
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({
      iss: issuer,
      aud: audience,
      sub: person.sub,
      client_id: clientId,
      tenant_id: tenantId,
      email: person.email,
      roles: [...roles],
      groups: [...groups],
      scopes: [...scopes],
      resources: [...resources],
      sid,
      mcp_session: mcpSession,
      jti: randomUUID(),
      iat: now,
      nbf: now,
      exp: now + tokenSeconds,
    })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
      .sign(privateKey);
  }

  return {
    jwks: { keys: [jwk] },
    push(parameters) {
      const id = randomBytes(16).toString('base64url');
      logins.set(id, { parameters, expiresAt: clock.wall() + loginSeconds * 1_000 });
      const body = { authorization_url: `${issuer}/go/${id}`, expires_in: loginSeconds, audience };
      return { status: 201, body };
    },
    async token(parameters) {
      const grantType = parameters.get('grant_type');
      if (grantType === 'authorization_code') return redeem(parameters);
      if (grantType !== 'client_credentials') return refused('unsupported_grant_type');
      const token = `test-${randomBytes(24).toString('base64url')}`;
      apiTokens.add(token);
      return tokenAnswer(token, tokenSeconds);
    },
    approve(authorizationUrl, person) {
      const login = logins.get(authorizationUrl.slice(`${issuer}/go/`.length));
      if (!authorizationUrl.startsWith(`${issuer}/go/`) || !login) {
        throw new Error(`the test Manager knows no login ${JSON.stringify(authorizationUrl)}`);
      }
      if (login.code) throw new Error('this login was approved before: oauth_start begins another');
      if (clock.wall() >= login.expiresAt) throw new Error('this login is over: oauth_start begins another');
      login.code = { value: randomBytes(24).toString('base64url'), email: person.email };
      return login.code.value;
    },
    isApiToken: (token) => apiTokens.has(token),
  };
}

function tokenAnswer(token: string, expiresIn: number): OAuthAnswer {
  return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: expiresIn } };
}

function refused(error: string): OAuthAnswer {
  return { status: 400, body: { error } };
}
