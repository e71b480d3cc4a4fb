import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTenantClient } from '@authsec/prisma/tenant';
import { Client } from 'pg';
import { Secret } from '../../src/config/secret.js';
import { scramVerifier } from '../../src/db/scram-verifier.js';
import { openDatabaseUrl } from '../../src/db/tenant-database-url.js';
import { loadSigningKeys } from '../../src/integrations/signing-keys.js';
import { provisioningSteps, provisionTenant } from '../../src/modules/tenants/provision-tenant.js';
import { reservedTenantIds } from '../../src/modules/tenants/tenant.js';
import { createTestStack, type TestStack } from './test-stack.js';

let stack: TestStack;
beforeAll(async () => void (stack = await createTestStack()));
afterAll(() => stack.close());

const provision = (tenantId: string, more: Partial<TestStack['provisioning']> = {}) =>
  provisionTenant({ tenantId, displayName: 'A tenant' }, { ...stack.provisioning, ...more });

async function urlOf(tenantId: string): Promise<string> {
  const row = await stack.master.tenant.findUniqueOrThrow({ where: { id: tenantId } });
  return openDatabaseUrl(stack.sealer, tenantId, row.sealedDatabaseUrl).reveal();
}

/** Everything that a complete tenant has, as one value. */
async function stateOf(tenantId: string) {
  const row = await stack.master.tenant.findUniqueOrThrow({ where: { id: tenantId } });
  const db = createTenantClient({ url: await urlOf(tenantId) });
  try {
    const { jwks } = await loadSigningKeys(db, tenantId, stack.sealer);
    return {
      status: row.status,
      schemaVersion: row.schemaVersion,
      stamps: await db.stamp.findMany({ select: { id: true, tenantId: true } }),
      keys: jwks.keys.map((key) => key.alg),
      permissions: (await db.permission.findMany({ orderBy: { name: 'asc' } })).map(({ name }) => name),
      roles: await db.role.findMany({ select: { name: true, permissions: { select: { permission: true } } } }),
    };
  } finally {
    await db.$disconnect();
  }
}

const complete = (tenantId: string) => ({
  status: 'active',
  schemaVersion: expect.stringMatching(/^\d{14}_/),
  stamps: [{ id: 1, tenantId }],
  keys: ['ES256'],
  permissions: expect.arrayContaining(['authsec:*:*', 'authsec:users:read', 'authsec:sessions:revoke']),
  roles: [{ name: 'authsec-admin', permissions: [{ permission: expect.objectContaining({ name: 'authsec:*:*' }) }] }],
});

describe('provisioning a tenant', () => {
  test('makes role, database, tables, catalogue, keys and stamp, and sets it active', async () => {
    const id = stack.newTenantId();
    const row = await provision(id);
    expect(row.status).toBe('active');
    expect(await stateOf(id)).toEqual(complete(id));
    expect((await stateOf(id)).permissions).not.toContain('authsec:tenants:write');
  });

  test.each(provisioningSteps)('stopped after "%s" and run again, it ends right', async (step) => {
    const id = stack.newTenantId();
    const stopped = provision(id, {
      onStep: (reached) => {
        if (reached === step) throw new Error('stopped');
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    expect((await provision(id)).status).toBe('active');
    expect(await stateOf(id)).toEqual(complete(id));
  });

  test('of the same tenant four times at once ends with one of everything', async () => {
    const id = stack.newTenantId();
    const rows = await Promise.all([1, 2, 3, 4].map(() => provision(id)));
    expect(rows.map((row) => row.status)).toEqual(['active', 'active', 'active', 'active']);
    expect(await stateOf(id)).toEqual(complete(id));
  });

  test('of different tenants at once, none fails', async () => {
    const ids = Array.from({ length: 4 }, () => stack.newTenantId());
    await Promise.all(ids.map((id) => provision(id)));
    for (const id of ids) expect(await stateOf(id)).toEqual(complete(id));
  });
});

describe('a tenant that cannot be made', () => {
  const made = (tenantId: string, isSystem = false) =>
    provisionTenant({ tenantId, displayName: 'A tenant', isSystem }, stack.provisioning);

  test.each(['Acme', 'a', '1a', 'a_b', `a${'b'.repeat(40)}`, 'a"; DROP DATABASE postgres; --', ''])(
    'the id %j is refused before anything is made',
    async (id) => {
      await expect(made(id)).rejects.toMatchObject({ code: 'invalid_request' });
      expect(await stack.master.tenant.findUnique({ where: { id } })).toBeNull();
    },
  );

  test('a reserved word is refused, by the master database too', async () => {
    for (const id of reservedTenantIds) {
      await expect(made(id)).rejects.toMatchObject({ code: 'invalid_request' });
      const row = { id, displayName: id, sealedDatabaseUrl: Buffer.alloc(0) };
      await expect(stack.master.tenant.create({ data: row })).rejects.toThrow(/tenants_id_not_reserved/);
    }
  });

  test('the reserved words of the master database are these and no other', async () => {
    const [row] = await stack.master.$queryRaw<{ definition: string }[]>`
      SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conname = 'tenants_id_not_reserved'`;
    const words = [...(row?.definition.matchAll(/'([^']+)'/g) ?? [])].map(([, word]) => word);
    expect(new Set(words)).toEqual(reservedTenantIds);
  });

  test('an id that a deleted tenant had is refused, though nothing is left of it', async () => {
    const id = stack.newTenantId();
    await provision(id);
    await stack.master.tenant.delete({ where: { id } });
    await stack.admin.query(`DROP DATABASE "tenant_${id}" WITH (FORCE)`);
    await expect(provision(id)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a database of that name which nobody knows is not taken over', async () => {
    const id = stack.newTenantId();
    await stack.admin.query(`CREATE DATABASE "tenant_${id}" TEMPLATE template0`);
    await expect(provision(id)).rejects.toMatchObject({ code: 'conflict' });
    await expect(provision(id)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a second system tenant is refused, and none becomes one later', async () => {
    const [first, second, third] = [stack.newTenantId(), stack.newTenantId(), stack.newTenantId()];
    expect(await made(first, true)).toMatchObject({ isSystem: true, status: 'active' });
    await expect(made(second, true)).rejects.toMatchObject({ code: 'conflict' });
    await provision(third);
    await expect(made(third, true)).rejects.toMatchObject({ code: 'conflict' });
    expect((await stateOf(first)).permissions).toContain('authsec:tenants:write');
  });
});

describe('an operator who is no superuser', () => {
  test('but may create roles and databases can make tenants, twice', async () => {
    const name = `operator_${stack.newTenantId()}`;
    await stack.admin.query(`CREATE ROLE ${name} LOGIN CREATEROLE CREATEDB PASSWORD 'operator'`);
    await stack.admin.query(`GRANT CONNECT ON DATABASE postgres TO ${name}`);
    const url = new URL(stack.tenantDatabaseUrl.reveal());
    url.username = name;
    url.password = 'operator';
    const id = stack.newTenantId();
    const onStep = (step: string) => {
      if (step === 'stamped') throw new Error('stopped');
    };
    const more = { tenantDatabaseUrl: new Secret(url.href) };
    await expect(provision(id, { ...more, onStep })).rejects.toThrow('stopped');
    expect((await provision(id, more)).status).toBe('active');
    expect(await stateOf(id)).toEqual(complete(id));
    await stack.admin.query(`DROP DATABASE "tenant_${id}" WITH (FORCE)`);
    await stack.admin.query(`DROP ROLE "tenant_${id}"`);
    await stack.admin.query(`REVOKE ALL ON DATABASE postgres FROM ${name}`);
    await stack.admin.query(`DROP OWNED BY ${name}`);
    await stack.admin.query(`DROP ROLE ${name}`);
  });
});

describe('a tenant that is complete', () => {
  test('keeps keys, password, catalogue and status, and takes a new display name', async () => {
    const id = stack.newTenantId();
    const before = await provision(id);
    await stack.master.tenant.update({ where: { id }, data: { status: 'suspended' } });
    const again = await provisionTenant({ tenantId: id, displayName: 'Renamed' }, stack.provisioning);
    expect(again).toEqual({ ...before, status: 'suspended', displayName: 'Renamed', updatedAt: expect.any(Date) });
  });
});

describe("what the server's log may show", () => {
  test('has no password: PostgreSQL gets the SCRAM verifier, and it lets the password in', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});

describe("a tenant's PostgreSQL role", () => {
  const connect = async (url: string) => {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
    } finally {
      await client.end();
    }
  };

  test('reaches its own database and no other: not another tenant, not the master', async () => {
    const [mine, other] = [stack.newTenantId(), stack.newTenantId()];
    await Promise.all([provision(mine), provision(other)]);
    const url = new URL(await urlOf(mine));
    await connect(url.href);
    const elsewhere = [
      `tenant_${other}`,
      new URL(stack.masterDatabaseUrl.reveal()).pathname.slice(1),
      'postgres',
      'template1',
    ];
    for (const database of elsewhere) {
      url.pathname = `/${database}`;
      await expect(connect(url.href)).rejects.toMatchObject({ code: '42501' });
    }
    const { rows } = await stack.admin.query('SELECT * FROM pg_roles WHERE rolname = $1', [`tenant_${mine}`]);
    expect(rows).toMatchObject([
      { rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false },
    ]);
  });
});
