import { createHmac } from 'node:crypto';
import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import type { Behaviour, EvilIssuer, Reply } from './evil-provider.js';

export interface EvilCase extends Behaviour {
  /** Beginning with rp-: the name in the OpenID relying-party certification list. */
  readonly name: string;
  readonly kind?: 'oauth2';
  readonly settings?: object;
  /** What the operator's log names. */
  readonly check: string;
  readonly status?: number;
  /** The clock decides. */
  readonly slow?: true;
}

const html: Reply = { headers: { 'content-type': 'text/html' }, body: '<h1>It works!</h1>' };
const notJson: Reply = { headers: { 'content-type': 'application/json' }, body: '{"issuer": "https://' };
const elsewhere: Reply = { status: 302, headers: { location: 'https://example.com/' } };
const huge: Reply = { body: { padding: 'x'.repeat(1_000_000) } };
const zipped: Reply = {
  headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
  body: Buffer.from('1f8b', 'hex'),
};
const without =
  (name: string) =>
  <T extends object>(value: T): T =>
    Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)) as T;
const having =
  (change: Record<string, unknown>) =>
  <T extends object>(value: T): T =>
    ({ ...value, ...change }) as T;
const answering =
  (change: (answer: URLSearchParams, provider: EvilIssuer) => void) =>
  (answer: URLSearchParams, provider: EvilIssuer): URLSearchParams => {
    change(answer, provider);
    return answer;
  };
const changeLast = (jwt: string) => jwt.slice(0, -8) + (jwt.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA');
const resign: NonNullable<Behaviour['sign']> = (claims, header, { keys, signing }) =>
  new SignJWT(claims).setProtectedHeader(header).sign(keys.get(signing)!.privateKey);
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const hmac = (secret: string | Uint8Array, claims: object, header: object) => {
  const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

const discovery: readonly EvilCase[] = [
  {
    name: 'rp-discovery-issuer-not-matching-config',
    discovery: having({ issuer: 'https://accounts.google.com' }),
    check: 'discovery.issuer',
  },
  {
    name: 'discovery: the issuer with a slash more',
    discovery: (document, { url }) => ({ ...document, issuer: `${url}/` }),
    check: 'discovery.issuer',
  },
  { name: 'discovery: no issuer', discovery: without('issuer'), check: 'discovery.' },
  { name: 'discovery: a page instead of a document', discovery: html, check: 'discovery.' },
  { name: 'discovery: JSON that is cut off', discovery: notJson, check: 'discovery.' },
  { name: 'discovery: a list', discovery: { body: [] }, check: 'discovery.' },
  { name: 'discovery: 404', discovery: { status: 404 }, check: 'discovery.' },
  { name: 'discovery: 500', discovery: { status: 500, body: { error: 'server_error' } }, check: 'discovery.' },
  { name: 'discovery: a redirect', discovery: elsewhere, check: 'discovery.redirect' },
  {
    name: 'discovery: a redirect to a private address',
    discovery: { status: 301, headers: { location: 'http://127.0.0.1/' } },
    check: 'discovery.redirect',
  },
  { name: 'discovery: a megabyte', discovery: huge, check: 'discovery.size' },
  { name: 'discovery: compressed unasked', discovery: zipped, check: 'discovery.encoding' },
  { name: 'discovery: the connection ends', discovery: { reset: true }, check: 'discovery.unreachable' },
  { name: 'discovery: no answer', discovery: { hang: true }, check: 'discovery.timeout', slow: true },
  {
    name: 'discovery: no authorization endpoint',
    discovery: without('authorization_endpoint'),
    check: 'discovery.authorization_endpoint',
  },
  {
    name: 'discovery: a script as authorization endpoint',
    discovery: having({ authorization_endpoint: 'javascript:alert(1)' }),
    check: 'discovery.authorization_endpoint',
  },
  { name: 'discovery: no token endpoint', discovery: without('token_endpoint'), check: 'discovery.token_endpoint' },
  { name: 'discovery: no keys', discovery: without('jwks_uri'), check: 'discovery.jwks_uri' },
  {
    name: 'discovery: the token endpoint on the cloud metadata address',
    discovery: having({ token_endpoint: 'http://169.254.169.254/latest' }),
    check: 'token_endpoint.address',
  },
  {
    name: 'discovery: a file as key set',
    discovery: having({ jwks_uri: 'file:///etc/passwd' }),
    check: 'discovery.jwks_uri',
  },
];

const authorization: readonly EvilCase[] = [
  { name: 'authorization: no code', answer: answering((answer) => answer.delete('code')), check: 'a' },
  {
    name: 'authorization: a code that nobody issued',
    answer: answering((answer) => answer.set('code', 'made-up')),
    check: 'token_endpoint.invalid_grant',
  },
  { name: 'authorization: two codes', answer: answering((answer) => answer.append('code', 'second')), check: 'a' },
  {
    name: 'authorization: two issuers',
    answer: answering((answer, { url }) => answer.append('iss', url)),
    check: 'authorization_response.iss',
  },
  {
    name: 'authorization: another issuer (RFC 9207)',
    answer: answering((answer) => answer.set('iss', 'https://accounts.google.com')),
    check: 'authorization_response.iss',
  },
  {
    name: 'authorization: no issuer, though announced (RFC 9207)',
    answer: answering((answer) => answer.delete('iss')),
    check: 'authorization_response.iss',
  },
  {
    name: 'authorization: an error',
    answer: answering((answer) => (answer.delete('code'), answer.set('error', 'server_error'))),
    check: 'authorization_response.server_error',
  },
  {
    name: 'authorization: an ID token in the front channel',
    answer: answering((answer) => answer.set('id_token', 'e30.e30.')),
    check: 'a',
  },
  {
    name: 'authorization: a response object instead',
    answer: answering((answer) => answer.set('response', 'e30.e30.')),
    check: 'a',
  },
];

const token: readonly EvilCase[] = [
  { name: 'token: 500', token: { status: 500, body: 'out of order' }, check: 't' },
  { name: 'token: a page', token: html, check: 'answer.not_json' },
  { name: 'token: JSON that is cut off', token: notJson, check: 'answer.not_json' },
  {
    name: 'token: an error with status 200',
    token: { body: { error: 'bad_verification_code' } },
    check: 'answer.access_token',
  },
  {
    name: 'token: the client is refused',
    token: { status: 401, headers: { 'www-authenticate': 'Basic' }, body: { error: 'invalid_client' } },
    check: '',
  },
  { name: 'token: no access token', token: without('access_token'), check: 'answer.access_token' },
  { name: 'token: no token type', token: without('token_type'), check: 'answer.token_type' },
  { name: 'token: another token type', token: having({ token_type: 'mac' }), check: '' },
  { name: 'token: no ID token', token: without('id_token'), check: 'id_token.missing' },
  { name: 'token: an ID token that is no JWT', token: having({ id_token: 'not a token' }), check: 'id_token.' },
  {
    name: 'token: an ID token that is an object',
    token: having({ id_token: { sub: 'person-1' } }),
    check: 'id_token.',
  },
  { name: 'token: an encrypted ID token', token: having({ id_token: 'e30.e30.e30.e30.e30' }), check: 'id_token.' },
  { name: 'token: a redirect', token: elsewhere, check: 'token_endpoint.redirect' },
  { name: 'token: a megabyte', token: huge, check: 'token_endpoint.size' },
  { name: 'token: compressed unasked', token: zipped, check: 'token_endpoint.encoding' },
  { name: 'token: the connection ends', token: { reset: true }, check: 'token_endpoint.unreachable' },
  { name: 'token: no answer', token: { hang: true }, check: 'token_endpoint.timeout', slow: true },
];

const signature: readonly EvilCase[] = [
  { name: 'rp-id_token-sig-none', sign: async (claims) => new UnsecuredJWT(claims).encode(), check: 'id_token.alg' },
  {
    name: 'signature: cut off',
    sign: async (claims, header, issuer) => (await resign(claims, header, issuer)).replace(/[^.]*$/, ''),
    check: 'id_token.',
  },
  {
    name: 'rp-id_token-bad-sig-rs256',
    sign: async (claims, header, issuer) => changeLast(await resign(claims, header, issuer)),
    check: 'id_token.signature',
  },
  {
    name: 'rp-id_token-bad-sig-es256',
    sign: async (claims, _header, { keys }) =>
      changeLast(
        await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'e1' }).sign(keys.get('e1')!.privateKey),
      ),
    check: 'id_token.signature',
  },
  {
    name: 'rp-id_token-bad-sig-hs256',
    sign: async (claims, header, { clientSecret }) => changeLast(hmac(clientSecret, claims, header)),
    check: 'id_token.alg',
  },
  {
    name: 'signature: HS256 under the client secret',
    sign: async (claims, header, { clientSecret }) => hmac(clientSecret, claims, header),
    check: 'id_token.alg',
  },
  {
    name: 'signature: HS256 under the public key',
    async sign(claims, header, { keys }) {
      const key = await importJWK(keys.get('r1')!.publicJwk, 'RS256', { extractable: true });
      return hmac(await exportSPKI(key as Parameters<typeof exportSPKI>[0]), claims, header);
    },
    check: 'id_token.alg',
  },
  {
    name: 'signature: another key under the known kid',
    async sign(claims, header) {
      return new SignJWT(claims).setProtectedHeader(header).sign((await generateKeyPair('RS256')).privateKey);
    },
    check: 'id_token.signature',
  },
  {
    name: 'signature: its own key in the header',
    async sign(claims, header, issuer) {
      await issuer.newKey('own', 'RS256');
      const { privateKey, publicJwk } = issuer.keys.get('own')!;
      issuer.keys.delete('own');
      return new SignJWT(claims).setProtectedHeader({ ...header, jwk: publicJwk }).sign(privateKey);
    },
    check: 'id_token.signature',
  },
  {
    name: 'signature: keys of another place (jku)',
    async sign(claims, header, { origin }) {
      const jku = `${origin}/elsewhere/jwks`;
      return new SignJWT(claims)
        .setProtectedHeader({ ...header, kid: 'x', jku })
        .sign((await generateKeyPair('RS256')).privateKey);
    },
    check: 'id_token.key',
  },
  { name: 'signature: a kid that is in no key set', header: having({ kid: 'unknown' }), check: 'id_token.key' },
  {
    name: 'rp-id_token-kid-absent-multiple-jwks',
    header: without('kid'),
    async jwks({ keys }, issuer) {
      await issuer.newKey('r2', 'RS256');
      return { keys: [...keys, issuer.keys.get('r2')!.publicJwk] };
    },
    check: 'id_token.key',
  },
  {
    name: 'signature: an algorithm that was not announced',
    header: having({ alg: 'PS256' }),
    sign: async (claims, header) =>
      new SignJWT(claims).setProtectedHeader(header).sign((await generateKeyPair('PS256')).privateKey),
    check: 'id_token.alg',
  },
  {
    name: 'signature: a critical header that nobody knows',
    sign: async (claims, header, { keys }) => {
      const signer = new SignJWT(claims).setProtectedHeader({ ...header, crit: ['x'], x: true });
      return signer.sign(keys.get('r1')!.privateKey, { crit: { x: true } });
    },
    check: 'id_token.',
  },
  {
    name: 'signature: a list as payload',
    sign: async (_claims, header, { keys }) => {
      const input = `${encode(header)}.${encode([])}`;
      return `${input}.${Buffer.from(await crypto.subtle.sign('RSASSA-PKCS1-v1_5', keys.get('r1')!.privateKey, Buffer.from(input))).toString('base64url')}`;
    },
    check: 'id_token.',
  },
  { name: 'keys: 404', jwks: { status: 404 }, check: '' },
  { name: 'keys: a page', jwks: html, check: '' },
  { name: 'keys: none', jwks: () => ({ keys: [] }), check: 'id_token.key' },
  {
    name: 'keys: for encryption only',
    jwks: ({ keys }) => ({ keys: keys.map((key) => ({ ...key, use: 'enc' })) }),
    check: 'id_token.key',
  },
  { name: 'keys: a redirect', jwks: elsewhere, check: 'jwks_uri.redirect' },
  { name: 'keys: no answer', jwks: { hang: true }, check: 'jwks_uri.timeout', slow: true },
];

const claims: readonly EvilCase[] = [
  {
    name: 'rp-id_token-issuer-mismatch',
    claims: having({ iss: 'https://accounts.google.com' }),
    check: 'id_token.iss',
  },
  { name: 'claims: no issuer', claims: without('iss'), check: 'id_token.iss' },
  { name: 'rp-id_token-aud', claims: having({ aud: 'another client' }), check: 'id_token.aud' },
  { name: 'claims: no audience', claims: without('aud'), check: 'id_token.aud' },
  {
    name: 'claims: several audiences without azp',
    claims: (said, { clientId }) => ({ ...said, aud: [clientId, 'other'] }),
    check: 'id_token.aud',
  },
  {
    name: 'claims: authorized for another client (azp)',
    claims: (said, { clientId }) => ({ ...said, aud: [clientId, 'other'], azp: 'other' }),
    check: 'id_token.azp',
  },
  { name: 'rp-id_token-sub', claims: without('sub'), check: 'id_token.sub' },
  { name: 'claims: an empty subject', claims: having({ sub: '' }), check: 'id_token.sub' },
  { name: 'claims: a number as subject', claims: having({ sub: 1 }), check: 'id_token.sub' },
  { name: 'claims: a subject of 300 characters', claims: having({ sub: 's'.repeat(300) }), check: 'id_token.sub' },
  { name: 'claims: a subject with NUL', claims: having({ sub: 'person-1\0' }), check: 'id_token.sub' },
  { name: 'rp-id_token-iat', claims: without('iat'), check: 'id_token.iat' },
  { name: 'claims: no end', claims: without('exp'), check: 'id_token.exp' },
  {
    name: 'claims: expired',
    claims: (said) => ({ ...said, iat: said.iat! - 900, exp: said.iat! - 600 }),
    check: 'id_token.exp',
  },
  { name: 'claims: not valid yet', claims: (said) => ({ ...said, nbf: said.iat! + 600 }), check: 'id_token.nbf' },
  { name: 'rp-nonce-invalid', claims: having({ nonce: 'of another login' }), check: 'id_token.nonce' },
  { name: 'claims: no nonce', claims: without('nonce'), check: 'id_token.nonce' },
  { name: 'claims: an ID token of another login', claims: having({ nonce: 'A'.repeat(43) }), check: 'id_token.nonce' },
];

const inUserinfo = { claimsInUserinfo: true } as const;
const userinfo: readonly EvilCase[] = [
  {
    name: 'rp-userinfo-bad-sub-claim',
    ...inUserinfo,
    userinfo: having({ sub: 'somebody else' }),
    check: 'userinfo.sub',
  },
  { name: 'userinfo: no subject', ...inUserinfo, userinfo: without('sub'), check: 'userinfo.' },
  { name: 'userinfo: a list', ...inUserinfo, userinfo: { body: [] }, check: 'userinfo.' },
  { name: 'userinfo: 500', ...inUserinfo, userinfo: { status: 500 }, check: 'userinfo' },
  { name: 'userinfo: a page', ...inUserinfo, userinfo: html, check: 'userinfo' },
  { name: 'userinfo: a redirect', ...inUserinfo, userinfo: elsewhere, check: 'userinfo_endpoint.redirect' },
  {
    name: 'userinfo: a JWT unasked',
    ...inUserinfo,
    userinfo: { headers: { 'content-type': 'application/jwt' }, body: 'e30.e30.' },
    check: 'userinfo',
  },
  {
    name: 'userinfo: no answer',
    ...inUserinfo,
    userinfo: { hang: true },
    check: 'userinfo_endpoint.timeout',
    slow: true,
  },
];

const person = { status: 403 } as const;
const people: readonly EvilCase[] = [
  {
    name: 'person: an address that is not verified',
    person: { email_verified: false },
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'person: an address verified by the text true',
    person: { email_verified: 'true' },
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'person: an address that is one and two',
    person: { email: ['a@example.test'] },
    ...person,
    check: 'person.email_not_verified',
  },
  { name: 'person: no address', person: { email: undefined }, ...person, check: 'person.email_not_verified' },
  {
    name: 'person: an address with two at signs',
    person: { email: 'root@evil.test@example.test' },
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'person: verified elsewhere, another address in the ID token',
    person: { email_verified: undefined },
    userinfo: { body: { sub: 'person-1', email: 'mine@example.test', email_verified: true } },
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'person: a trusted provider says not verified',
    person: { email_verified: false },
    settings: { trust_email: true },
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'person: of a domain that is not allowed',
    settings: { allowed_email_domains: ['allowed.test'] },
    ...person,
    check: 'person.email_domain',
  },
  {
    name: 'person: of a domain that only ends like an allowed one',
    person: { email: 'a@evil-allowed.test' },
    settings: { allowed_email_domains: ['allowed.test'] },
    ...person,
    check: 'person.email_domain',
  },
  {
    name: 'person: an allowed domain, not verified',
    person: { email: 'a@allowed.test', email_verified: false },
    settings: { allowed_email_domains: ['allowed.test'] },
    ...person,
    check: 'person.email_domain',
  },
  {
    name: 'person: nobody comes in who is not there',
    settings: { new_people: 'refuse' },
    ...person,
    check: 'person.not_linked',
  },
  {
    name: 'person: with the address of somebody who is there',
    person: { email: 'victim@example.test' },
    ...person,
    check: 'person.email_taken',
  },
];

const github = { kind: 'oauth2' } as const;
const oauth2: readonly EvilCase[] = [
  { name: 'oauth2: userinfo without an id', ...github, userinfo: without('id'), check: 'userinfo.sub' },
  { name: 'oauth2: userinfo with a fraction as id', ...github, userinfo: having({ id: 1.5 }), check: 'userinfo.sub' },
  {
    name: 'oauth2: userinfo with an object as id',
    ...github,
    userinfo: having({ id: { toString: 'x' } }),
    check: 'userinfo.sub',
  },
  {
    name: 'oauth2: userinfo null',
    ...github,
    userinfo: { body: null, headers: { 'content-type': 'application/json' } },
    check: 'userinfo.form',
  },
  { name: 'oauth2: userinfo 401', ...github, userinfo: { status: 401, body: {} }, check: 'userinfo_endpoint.status' },
  { name: 'oauth2: userinfo a page', ...github, userinfo: html, check: 'userinfo_endpoint.not_json' },
  { name: 'oauth2: userinfo a redirect', ...github, userinfo: elsewhere, check: 'userinfo_endpoint.redirect' },
  {
    name: 'oauth2: an error of the token endpoint with status 200',
    ...github,
    token: { body: { error: 'bad_verification_code' } },
    check: 'answer.access_token',
  },
  {
    name: 'oauth2: another issuer (RFC 9207)',
    ...github,
    answer: answering((answer) => answer.set('iss', 'https://evil.test')),
    check: 'authorization_response.iss',
  },
  { name: 'oauth2: addresses not a list', ...github, emails: { body: {} }, check: 'emails.form' },
  {
    name: 'oauth2: no primary address',
    ...github,
    emails: { body: [{ email: 'a@example.test', verified: true, primary: false }] },
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'oauth2: the primary address is not verified',
    ...github,
    emails: { body: [{ email: 'a@example.test', verified: false, primary: true }] },
    userinfo: having({ email: 'public@example.test' }),
    ...person,
    check: 'person.email_not_verified',
  },
  {
    name: 'oauth2: the address of somebody who is there',
    ...github,
    emails: { body: [{ email: 'victim@example.test', verified: true, primary: true }] },
    ...person,
    check: 'person.email_taken',
  },
];

/** Each is refused with a page that says what to do. */
export const evilCases: readonly EvilCase[] = [
  ...discovery,
  ...authorization,
  ...token,
  ...signature,
  ...claims,
  ...userinfo,
  ...people,
  ...oauth2,
];
