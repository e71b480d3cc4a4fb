import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type CryptoKey, type JWK, type JWTPayload, SignJWT } from 'jose';

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Accepts the request and never answers. */
  readonly hang?: boolean;
  /** Ends the connection without an answer. */
  readonly reset?: boolean;
}

type Json = Record<string, unknown>;
type Header = { alg: string; kid?: string; [name: string]: unknown };
type Change<T> = (value: T, provider: EvilIssuer) => T | Promise<T>;

/** What one issuer does otherwise than a good one. */
export interface Behaviour {
  discovery?: Change<Json> | Reply;
  /** The parameters that the browser brings back. */
  answer?: Change<URLSearchParams>;
  /** At another URL than the one asked for. */
  callback?: Change<string>;
  token?: Change<Json> | Reply;
  claims?: Change<JWTPayload>;
  header?: Change<Header>;
  /** Signs in another way than with the own key of the header's kid. */
  sign?: (claims: JWTPayload, header: Header, provider: EvilIssuer) => Promise<string>;
  jwks?: Change<{ keys: JWK[] }> | Reply;
  userinfo?: Change<Json> | Reply;
  emails?: Reply;
  /** Claims are told at the userinfo endpoint, not in the ID token. */
  claimsInUserinfo?: boolean;
  person?: Json;
}

interface SigningKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** One issuer of the server, with what it was asked. */
export interface EvilIssuer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly origin: string;
  behaviour: Behaviour;
  readonly keys: Map<string, SigningKey>;
  /** The kid that signs. */
  signing: string;
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string }[];
  newKey(kid: string, alg: string): Promise<void>;
}

export interface EvilProvider {
  readonly origin: string;
  issuer(name: string, behaviour?: Behaviour): EvilIssuer;
  close(): Promise<void>;
}

const sharedKeys = new Map<string, Promise<SigningKey>>();

async function makeKey(kid: string, alg: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An OpenID provider, and one of GitHub's shape, that does as it is told; each of its issuers signs a person in without asking. */
export async function startEvilProvider(): Promise<EvilProvider> {
  const issuers = new Map<string, EvilIssuer>();
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const defaults = {
    r1: await (sharedKeys.get('r1') ?? keep('r1', makeKey('r1', 'RS256'))),
    e1: await (sharedKeys.get('e1') ?? keep('e1', makeKey('e1', 'ES256'))),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const [, name = '', ...rest] = url.pathname.split('/');
    const issuer = issuers.get(name);
    const body = await readBody(request);
    issuer?.requests.push({ path: rest.join('/'), headers: request.headers, body });
    const reply = issuer ? await answer(issuer, rest.join('/'), url, new URLSearchParams(body)) : { status: 404 };
    await send(response, reply);
  }
  return {
    origin,
    issuer(name, behaviour = {}) {
      const issuer: EvilIssuer = {
        url: `${origin}/${name}`,
        clientId: `client of ${name}`,
        clientSecret: `secret:of ${name}`,
        origin,
        behaviour,
        keys: new Map(Object.entries(defaults)),
        signing: 'r1',
        requests: [],
        async newKey(kid, alg) {
          issuer.keys.set(kid, await makeKey(kid, alg));
        },
      };
      issuers.set(name, issuer);
      return issuer;
    },
    close: () => close(server),
  };
}

function keep(kid: string, key: Promise<SigningKey>): Promise<SigningKey> {
  sharedKeys.set(kid, key);
  return key;
}

const codes = new Map<string, { nonce: string | null; challenge: string | null }>();

async function answer(issuer: EvilIssuer, path: string, url: URL, form: URLSearchParams): Promise<Reply> {
  const { behaviour } = issuer;
  const person = {
    sub: 'person-1',
    name: 'Person One',
    email: 'one@example.test',
    email_verified: true,
    ...behaviour.person,
  };
  switch (path) {
    case '.well-known/openid-configuration':
      return apply(behaviour.discovery, metadata(issuer), issuer);
    case 'authorize': {
      const code = randomBytes(16).toString('base64url');
      codes.set(code, { nonce: url.searchParams.get('nonce'), challenge: url.searchParams.get('code_challenge') });
      const good = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '', iss: issuer.url });
      const parameters = (await behaviour.answer?.(good, issuer)) ?? good;
      const asked = url.searchParams.get('redirect_uri') ?? '';
      const target = (await behaviour.callback?.(asked, issuer)) ?? asked;
      return { status: 302, headers: { location: `${target}?${parameters}` } };
    }
    case 'token': {
      const known = codes.get(form.get('code') ?? '');
      const verifier = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (!known || known.challenge !== verifier) return { status: 400, body: { error: 'invalid_grant' } };
      codes.delete(form.get('code') ?? '');
      const { sub, ...rest } = person;
      const said = behaviour.claimsInUserinfo ? { sub } : { sub, ...rest };
      const idToken = await makeIdToken(issuer, { ...said, ...(known.nonce !== null && { nonce: known.nonce }) });
      const good = { access_token: 'the-access-token', token_type: 'Bearer', expires_in: 300, id_token: idToken };
      return apply(behaviour.token, good, issuer);
    }
    case 'jwks':
      return apply(behaviour.jwks, { keys: [...issuer.keys.values()].map((key) => key.publicJwk) }, issuer);
    case 'userinfo':
      return apply(behaviour.userinfo, person, issuer);
    case 'user':
      return apply(behaviour.userinfo, { id: 4711, login: 'one', name: 'Person One', email: null }, issuer);
    case 'user/emails':
      return (
        behaviour.emails ?? {
          body: [
            { email: 'other@example.test', primary: false, verified: true },
            { email: 'One@Example.test', primary: true, verified: true },
          ],
        }
      );
    default:
      return { status: 404 };
  }
}

function metadata({ url }: EvilIssuer): Json {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
    userinfo_endpoint: `${url}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'HS256', 'none', 'EdDSA'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}

async function makeIdToken(issuer: EvilIssuer, said: Json): Promise<string> {
  const { behaviour } = issuer;
  const now = Math.floor(Date.now() / 1000);
  const good: JWTPayload = { iss: issuer.url, aud: issuer.clientId, iat: now, exp: now + 300, ...said };
  const claims = (await behaviour.claims?.(good, issuer)) ?? good;
  const key = issuer.keys.get(issuer.signing)!;
  const plain: Header = { alg: key.alg, kid: issuer.signing };
  const header = (await behaviour.header?.(plain, issuer)) ?? plain;
  if (behaviour.sign) return behaviour.sign(claims, header, issuer);
  return new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
}

async function apply<T>(change: Change<T> | Reply | undefined, good: T, issuer: EvilIssuer): Promise<Reply> {
  if (change === undefined) return { body: good };
  return typeof change === 'function' ? { body: await change(good, issuer) } : change;
}

async function send(response: ServerResponse, { status = 200, headers = {}, body, hang, reset }: Reply): Promise<void> {
  if (hang) return;
  if (reset) return void response.destroy();
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  response.writeHead(status, { ...(!raw && body !== undefined && { 'content-type': 'application/json' }), ...headers });
  response.end(raw ? body : body === undefined ? '' : JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
