import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '../../src/config/secret.js';
import { createLogger } from '../../src/integrations/logger.js';
import { createPostgresEventBus } from '../../src/integrations/postgres-event-bus.js';
import type { EventBus } from '../../src/ports/event-bus.js';

const server = process.env.AUTHSEC_TEST_DATABASE_URL!;
const database = `bus_${randomBytes(6).toString('hex')}`;
const databaseUrl = new Secret(Object.assign(new URL(server), { pathname: `/${database}` }).href);
const logger = createLogger('silent');
const connections = `pg_stat_activity WHERE application_name = 'authsec-event-bus' AND datname = '${database}'`;
let buses: EventBus[] = [];
let admin: Client;

beforeAll(async () => {
  admin = new Client({ connectionString: server });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
});
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  buses = [];
});
afterAll(async () => {
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
});

async function createBus(): Promise<EventBus> {
  const bus = await createPostgresEventBus({ databaseUrl, logger, firstRetryMs: 10 });
  buses.push(bus);
  return bus;
}

/** How often it was woken, and a promise of the next time. */
function listen(bus: EventBus, tenantId: string) {
  let resolve = () => {};
  const state = { count: 0, next: Promise.resolve(), unsubscribe: () => {} };
  const arm = () => {
    state.next = new Promise((done) => (resolve = done));
  };
  arm();
  state.unsubscribe = bus.subscribe(tenantId, () => {
    state.count++;
    resolve();
    arm();
  });
  return state;
}

test('wakes those who wait for the tenant, on this and on the other replica, and nobody else', async () => {
  const [one, two] = [await createBus(), await createBus()];
  const [here, there, other] = [listen(one, 'acme'), listen(two, 'acme'), listen(two, 'globex')];
  const woken = Promise.all([here.next, there.next]);
  await one.publish('acme');
  await woken;
  const last = other.next;
  await one.publish('globex');
  await last;
  expect([here.count, there.count, other.count]).toEqual([1, 1, 1]);
});

test('who unsubscribed is not woken', async () => {
  const bus = await createBus();
  const [gone, stays] = [listen(bus, 'acme'), listen(bus, 'acme')];
  gone.unsubscribe();
  const { next } = stays;
  await bus.publish('acme');
  await next;
  expect(gone.count).toBe(0);
});

test('after a lost connection it listens again by itself, and wakes everyone for what was said meanwhile', async () => {
  const bus = await createBus();
  const [acme, globex] = [listen(bus, 'acme'), listen(bus, 'globex')];
  const woken = Promise.all([acme.next, globex.next]);
  await admin.query(`SELECT pg_terminate_backend(pid) FROM ${connections}`);
  await woken;
  const { next } = acme;
  await bus.publish('acme');
  await next;
});

test('publishing that fails does not reject, and wakes those of this process', async () => {
  const bus = await createPostgresEventBus({ databaseUrl, logger });
  await bus.close();
  const here = listen(bus, 'acme');
  const { next } = here;
  await bus.publish('acme');
  await next;
});

test('nothing of it is left on the server once it is closed', async () => {
  const bus = await createBus();
  await bus.publish('acme');
  await bus.close();
  buses = [];
  const left = async () => (await admin.query(`SELECT pid FROM ${connections}`)).rowCount;
  while ((await left()) !== 0) await new Promise((resolve) => setTimeout(resolve, 10));
});
