import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { exportJWK, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { loadSigningKeys } from '../../src/integrations/signing-keys.js';
import type { TestManager, TestTenant } from './test-manager.js';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export interface AttackMaterial {
  readonly manager: TestManager;
  readonly tenant: TestTenant;
  readonly other: TestTenant;
  /** Claims that make a good token when the tenant signs them. */
  readonly claims: JWTPayload;
}

/** Tokens that must give nothing, by name; each differs from a good one in one thing. */
export async function forgedTokens({ manager, tenant, other, claims }: AttackMaterial): Promise<[string, string][]> {
  const { publicJwks } = await loadSigningKeys(tenant.db, tenant.id, manager.container.sealer);
  const publicJwk = publicJwks.keys[0]!;
  const { alg = '', kid = '' } = publicJwk;
  const good = await tenant.sign(claims);
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const hmac = (secret: string | Buffer) => {
    const input = `${encode({ alg: 'HS256', kid, typ: 'at+jwt' })}.${payload}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ownJwk = await exportJWK(own.publicKey as unknown as KeyObject);
  const signed = (protectedHeader: Record<string, unknown>) =>
    new SignJWT(JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload)
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...protectedHeader })
      .sign(own.privateKey);
  const pem = createPublicKey({ key: publicJwk as JWK, format: 'jwk' } as never).export({
    type: 'spki',
    format: 'pem',
  });

  return [
    ['alg none', `${encode({ alg: 'none', kid, typ: 'at+jwt' })}.${payload}.`],
    ['alg none with a signature', `${encode({ alg: 'none', kid, typ: 'at+jwt' })}.${payload}.${signature}`],
    ['HS256 under the public key as PEM', hmac(pem)],
    ['HS256 under the public key as JWK', hmac(JSON.stringify(publicJwk))],
    ['HS256 under an empty secret', hmac('')],
    ["another tenant's key", await other.sign({ ...claims, iss: tenant.issuer, tenant_id: tenant.id })],
    ["another tenant's key under this one's kid", await foreignKeyOwnKid(manager, other, kid, payload)],
    ['a kid that the tenant does not have', await tenant.sign(claims, { kid: 'foreign' })],
    ['no kid', await tenant.sign(claims, { kid: undefined })],
    ['a key of the attacker', await signed({})],
    ['a key in the header (jwk)', await signed({ jwk: ownJwk })],
    ['a key set by URL (jku)', await signed({ jku: 'https://attacker.test/jwks' })],
    ['a certificate by URL (x5u)', await signed({ x5u: 'https://attacker.test/x5u' })],
    ['a good signature with jku', await tenant.sign(claims, { jku: `${tenant.issuer}/jwks` })],
    ['a good signature with jwk', await tenant.sign(claims, { jwk: publicJwk })],
    ['a good signature with crit', await tenant.sign(claims, { crit: ['b64'], b64: true })],
    ['no exp', await tenant.sign({ ...claims, exp: undefined })],
    ['expired', await tenant.sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 60 })],
    ['not yet valid', await tenant.sign({ ...claims, nbf: Math.floor(Date.now() / 1000) + 600 })],
    ['issued in the future', await tenant.sign({ ...claims, iat: Math.floor(Date.now() / 1000) + 600 })],
    ['no jti', await tenant.sign({ ...claims, jti: undefined })],
    ['no sub', await tenant.sign({ ...claims, sub: undefined })],
    ['no client_id', await tenant.sign({ ...claims, client_id: undefined })],
    ['typ JWT', await tenant.sign(claims, { typ: 'JWT' })],
    ['typ application/at+jwt', await tenant.sign(claims, { typ: 'application/at+jwt' })],
    ['no typ', await tenant.sign(claims, { typ: undefined })],
    ['another audience', await tenant.sign({ ...claims, aud: 'https://elsewhere.test' })],
    [
      'the right audience among others',
      await tenant.sign({ ...claims, aud: [claims.aud as string, 'https://x.test'] }),
    ],
    ['another tenant_id', await tenant.sign({ ...claims, tenant_id: other.id })],
    ['the issuer with a slash', await tenant.sign({ ...claims, iss: `${tenant.issuer}/` })],
    ['the issuer in upper case', await tenant.sign({ ...claims, iss: tenant.issuer.toUpperCase() })],
    ['an issuer that is no tenant', await tenant.sign({ ...claims, iss: 'https://authsec.test/t/nobody-here' })],
    ['an issuer elsewhere', await tenant.sign({ ...claims, iss: 'https://attacker.test/t/x' })],
    ['roles that are no list', await tenant.sign({ ...claims, roles: 'admin' })],
    ['a changed payload', `${header}.${encode({ ...claims, iss: tenant.issuer, roles: ['admin'] })}.${signature}`],
    ['a cut signature', `${header}.${payload}.${signature.slice(0, -4)}`],
    ['no signature', `${header}.${payload}.`],
    ['only two parts', `${header}.${payload}`],
    ['five parts', `${header}.${payload}.${signature}.${signature}.${signature}`],
    ['a signature with non-zero trailing bits', `${header}.${payload}.${withTrailingBits(signature)}`],
    ['a signature with padding', `${header}.${payload}.${signature}==`],
    ['a signature in base64', `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}`],
    ['a space inside', `${header}.${payload} .${signature}`],
    ['no JSON', `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`],
    ['a list for a header', `${encode([])}.${payload}.${signature}`],
    ['not a token at all', 'x'],
  ].map(([name, token]) => [`${name}, ${alg}`, token] as [string, string]);
}

async function foreignKeyOwnKid(manager: TestManager, other: TestTenant, kid: string, payload: string) {
  const { jwks } = await loadSigningKeys(other.db, other.id, manager.container.sealer);
  const jwk = jwks.keys[0]!;
  return new SignJWT(JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload)
    .setProtectedHeader({ alg: jwk.alg!, kid, typ: 'at+jwt' })
    .sign(await importJWK(jwk, jwk.alg));
}

/** The same bytes in another spelling: the last character of 64 bytes carries four bits that nothing reads. */
export function withTrailingBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(part.at(-1)!);
  return part.slice(0, -1) + alphabet[last ^ 1];
}
