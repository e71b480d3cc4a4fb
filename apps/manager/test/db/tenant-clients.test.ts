import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/config/secret.js';
import {
  createTenantClients,
  type TenantClients,
  type TenantClientsEvent,
  type TenantClientsOptions,
} from '../../src/db/tenant-clients.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../../src/db/tenant-database-url.js';
import { translateDatabaseError } from '../../src/db/translate-database-error.js';
import { provisionTenant } from '../../src/modules/tenants/provision-tenant.js';
import { systemClock } from '../../src/ports/clock.js';
import { createTestStack, type TestStack } from '../tenants/test-stack.js';
import { until } from '../support/until.js';
import { createFlakyProxy, type FlakyProxy } from './flaky-proxy.js';

let stack: TestStack;
let events: TenantClientsEvent[] = [];
let now = 1_000;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => void (stack = await createTestStack()));
afterAll(() => stack.close());
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close();
  events = [];
});

function clientsOf(more: Partial<TenantClientsOptions> = {}): TenantClients {
  const clients = createTenantClients({
    master: stack.master,
    sealer: stack.sealer,
    clock: { now: () => now, monotonic: () => now },
    onEvent: (event) => events.push(event),
    ...more,
  });
  opened.push(clients);
  return clients;
}

async function newTenant(): Promise<string> {
  const tenantId = stack.newTenantId();
  await provisionTenant({ tenantId, displayName: tenantId }, stack.provisioning);
  return tenantId;
}

async function urlOf(id: string): Promise<string> {
  const row = await stack.master.tenant.findUniqueOrThrow({ where: { id } });
  return openDatabaseUrl(stack.sealer, id, row.sealedDatabaseUrl).reveal();
}

async function pointTo(id: string, url: string): Promise<void> {
  const sealedDatabaseUrl = sealDatabaseUrl(stack.sealer, id, new Secret(url));
  await stack.master.tenant.update({ where: { id }, data: { sealedDatabaseUrl } });
}

async function behindProxy(id: string): Promise<FlakyProxy> {
  const proxy = await createFlakyProxy();
  opened.push(proxy);
  await pointTo(id, proxy.through(await urlOf(id)));
  return proxy;
}

async function connectionsOf(id: string): Promise<number> {
  const sql = 'SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = $1';
  return (await stack.admin.query(sql, [`tenant_${id}`])).rows[0].count;
}

const later = () => (now += 60_000);
const unavailable = expect.objectContaining({ code: 'tenant_unavailable' });

describe("opening a tenant's database", () => {
  test('serves all who ask at once by one client on one connection', async () => {
    const id = await newTenant();
    const clients = clientsOf();
    const all = await Promise.all(Array.from({ length: 20 }, () => clients.open(id)));
    expect(new Set(all).size).toBe(1);
    expect(await connectionsOf(id)).toBe(1);
    expect(await all[0]?.stamp.findFirst()).toMatchObject({ tenantId: id });
  });

  test.each(['nobody', 'Not-An-Id', "x'; DROP TABLE tenants; --", '../globex', ''])(
    'answers not_found for %j',
    async (id) => {
      await expect(clientsOf().open(id)).rejects.toMatchObject({ code: 'not_found' });
    },
  );

  test('is refused once the tenant is suspended, also where it was open', async () => {
    const id = await newTenant();
    const clients = clientsOf();
    await clients.open(id);
    await stack.master.tenant.update({ where: { id }, data: { status: 'suspended' } });
    later();
    await expect(clients.open(id)).rejects.toEqual(unavailable);
  });

  test('is refused while the tenant is being provisioned', async () => {
    const id = stack.newTenantId();
    const onStep = (step: string) => {
      if (step === 'keys_created') throw new Error('stopped');
    };
    const half = provisionTenant({ tenantId: id, displayName: id }, { ...stack.provisioning, onStep });
    await expect(half).rejects.toThrow('stopped');
    await expect(clientsOf().open(id)).rejects.toEqual(unavailable);
  });
});

describe("a tenant's row pointed at another tenant's database", () => {
  test('is served nothing, and the operator is told', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    await pointTo(id, await urlOf(other));
    await expect(clientsOf().open(id)).rejects.toEqual(unavailable);
    expect(events).toEqual([{ event: 'tenant_stamp_mismatch', tenantId: id, stamp: other }]);
  });

  test('is served nothing from then on where its own was open', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const clients = clientsOf();
    await clients.open(id);
    await pointTo(id, await urlOf(other));
    later();
    await expect(clients.open(id)).rejects.toEqual(unavailable);
  });

  test("is served nothing where the other's sealed URL was copied into it", async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const { sealedDatabaseUrl } = await stack.master.tenant.findUniqueOrThrow({ where: { id: other } });
    await stack.master.tenant.update({ where: { id }, data: { sealedDatabaseUrl } });
    await expect(clientsOf().open(id)).rejects.toEqual(unavailable);
    expect(events).toMatchObject([{ event: 'tenant_open_failed', tenantId: id }]);
  });

  test('is served nothing where the database bears no stamp', async () => {
    const id = await newTenant();
    const db = await clientsOf().open(id);
    await db.stamp.deleteMany();
    await expect(clientsOf().open(id)).rejects.toEqual(unavailable);
    expect(events).toMatchObject([{ event: 'tenant_stamp_mismatch', tenantId: id, stamp: null }]);
  });
});

describe('a tenant database that is down', () => {
  test('answers tenant_unavailable, at once for those who ask again, and the others are served', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const proxy = await behindProxy(id);
    await proxy.cut();
    const clients = clientsOf();
    await expect(clients.open(id)).rejects.toEqual(unavailable);
    const first = await clients.open(id).catch((error: unknown) => error);
    expect(await clients.open(id).catch((error: unknown) => error)).toBe(first);
    expect(await (await clients.open(other)).stamp.findFirst()).toMatchObject({ tenantId: other });
    await proxy.restore();
    later();
    await expect(clients.open(id)).resolves.toBeDefined();
  });

  test('that accepts and never answers is given up, while the others are served', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const proxy = await behindProxy(id);
    proxy.silence();
    const clients = clientsOf();
    const waiting = clients.open(id).then(
      () => 'opened',
      (error: unknown) => error,
    );
    const served = clients.open(other).then(() => 'served');
    expect(await Promise.race([waiting, served])).toBe('served');
    expect(await waiting).toEqual(unavailable);
  });

  test('while it is open: its queries fail as tenant_unavailable, and succeed when it is back', async () => {
    const id = await newTenant();
    const proxy = await behindProxy(id);
    const db = await clientsOf().open(id);
    await proxy.cut();
    const errors = await Promise.allSettled([
      db.user.findMany(),
      db.$queryRaw`SELECT 1`,
      db.$transaction(async (tx) => tx.user.count()),
      db.$transaction([db.user.count()]),
    ]);
    for (const result of errors) {
      expect(result.status === 'rejected' && translateDatabaseError(result.reason)).toEqual(unavailable);
    }
    await proxy.restore();
    expect(await db.user.count()).toBe(0);
  });

  test('and killed under a running query: that query fails as tenant_unavailable', async () => {
    const id = await newTenant();
    const db = await clientsOf().open(id);
    const running = db.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`;
    expect(translateDatabaseError(await running.catch((error: unknown) => error))).toEqual(unavailable);
    expect(await db.user.count()).toBe(0);
  });

  test('the master away: what is open goes on, what is not is tenant_unavailable', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const broken = { tenant: { findUnique: () => Promise.reject(Object.assign(new Error(), { code: 'P1001' })) } };
    let master = stack.master;
    const clients = clientsOf({
      master: new Proxy({} as typeof master, { get: (_, key) => Reflect.get(master, key) }),
    });
    const db = await clients.open(id);
    master = broken as never;
    later();
    expect(await clients.open(id)).toBe(db);
    await expect(clients.open(other)).rejects.toEqual(unavailable);
    expect(events.map(({ event }) => event)).toEqual(['master_unavailable', 'master_unavailable']);
  });
});

describe('putting away', () => {
  test('the least recently used goes when there are too many; who holds it can finish', async () => {
    const [first, second, third] = [await newTenant(), await newTenant(), await newTenant()];
    const clients = clientsOf({ maxOpen: 2, graceMs: 200 });
    const db = await clients.open(first);
    const running = db.$queryRaw`SELECT pg_sleep(0.4)::text`;
    await clients.open(second);
    await clients.open(third);
    await expect(running).resolves.toHaveLength(1);
    await until('they are closed', async () => (await connectionsOf(first)) === 0);
    expect(await connectionsOf(third)).toBe(1);
    expect(await clients.open(first)).not.toBe(db);
  });

  test('one that nobody asks for is closed', async () => {
    const id = await newTenant();
    const clients = clientsOf({ idleMs: 50, graceMs: 10, clock: systemClock });
    await clients.open(id);
    await until('they are closed', async () => (await connectionsOf(id)) === 0);
  });

  test('closing closes every connection', async () => {
    const ids = [await newTenant(), await newTenant()] as const;
    const clients = clientsOf();
    await Promise.all(ids.map((id) => clients.open(id)));
    await clients.close();
    for (const id of ids) await until('they are closed', async () => (await connectionsOf(id)) === 0);
    await expect(clients.open(ids[0])).rejects.toEqual(unavailable);
  });
});
