import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTenantClient, type PrismaClient } from '@authsec/prisma/tenant';
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { openDatabaseUrl } from '../../src/db/tenant-database-url.js';
import { ensureSigningKey, generateSigningKey, loadSigningKeys } from '../../src/integrations/signing-keys.js';
import { provisionTenant } from '../../src/modules/tenants/provision-tenant.js';
import { createTestStack, type TestStack } from '../tenants/test-stack.js';

let stack: TestStack;
let db: PrismaClient;
let tenantId: string;

beforeAll(async () => {
  stack = await createTestStack();
  tenantId = stack.newTenantId();
  const row = await provisionTenant({ tenantId, displayName: 'A tenant' }, stack.provisioning);
  db = createTenantClient({ url: openDatabaseUrl(stack.sealer, tenantId, row.sealedDatabaseUrl).reveal() });
});
afterAll(async () => {
  await db.$disconnect();
  await stack.close();
});

describe("a tenant's signing keys", () => {
  test('sign what the published ones verify', async () => {
    const { jwks, publicJwks } = await loadSigningKeys(db, tenantId, stack.sealer);
    const [key = {}] = jwks.keys;
    const { kid, alg = '' } = key;
    const token = await new SignJWT({}).setProtectedHeader({ alg, kid }).sign(await importJWK(key));
    await expect(jwtVerify(token, createLocalJWKSet(publicJwks))).resolves.toMatchObject({ protectedHeader: { kid } });
  });

  test('are published without anything private', async () => {
    const { publicJwks } = await loadSigningKeys(db, tenantId, stack.sealer);
    for (const key of publicJwks.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
    const stored = await db.signingKey.findFirstOrThrow();
    expect(stored.publicJwk).not.toHaveProperty('d');
    const [{ d } = {}] = (await loadSigningKeys(db, tenantId, stack.sealer)).jwks.keys;
    expect(d).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(stored.sealedPrivateJwk).includes(String(d))).toBe(false);
  });

  test('are one, however often and at however many places at once it is ensured', async () => {
    await db.signingKey.deleteMany();
    await Promise.all([1, 2, 3].map(() => ensureSigningKey(db, tenantId, stack.sealer)));
    expect(await db.signingKey.count()).toBe(1);
  });

  test('come active first; retiring ones stay, retired ones are gone', async () => {
    await db.signingKey.deleteMany();
    const [retired, retiring, active] = [
      await generateSigningKey({ tenantId, sealer: stack.sealer }),
      await generateSigningKey({ tenantId, sealer: stack.sealer, alg: 'EdDSA' }),
      await generateSigningKey({ tenantId, sealer: stack.sealer }),
    ];
    await db.signingKey.create({ data: { ...retired, status: 'retired' } });
    await db.signingKey.create({ data: { ...retiring, status: 'retiring' } });
    await db.signingKey.create({ data: active });
    const { jwks, publicJwks } = await loadSigningKeys(db, tenantId, stack.sealer);
    expect(jwks.keys.map(({ kid }) => kid)).toEqual([active.kid, retiring.kid]);
    expect(publicJwks.keys.map(({ kid }) => kid)).toEqual([active.kid, retiring.kid]);
  });

  test("do not open for another tenant, nor under another key's row", async () => {
    await expect(loadSigningKeys(db, 'globex', stack.sealer)).rejects.toMatchObject({ code: 'internal_error' });
    const { sealedPrivateJwk } = await generateSigningKey({ tenantId, sealer: stack.sealer });
    await db.signingKey.updateMany({ data: { sealedPrivateJwk } });
    await expect(loadSigningKeys(db, tenantId, stack.sealer)).rejects.toMatchObject({ code: 'internal_error' });
  });
});
