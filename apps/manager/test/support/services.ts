import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import request, { type Response } from 'supertest';
import { createApp } from '../../src/app.js';
import { type SecretStore, SecretStoreError } from '../../src/ports/secret-store.js';
import { createKeptLog } from './kept-log.js';
import { createTestApplication, createTestRole, random, type TestApplication } from './test-data.js';
import { createTestManager, type TestManager, type TestTenant } from './test-manager.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** A Manager with two tenants and those who may do something about their services, and those who may not. */
export interface ServicesStage {
  readonly manager: TestManager;
  readonly tenant: TestTenant;
  /** The application whose tools use the services that `body` describes. */
  readonly application: TestApplication;
  /** Authorization headers. */
  readonly writer: string;
  readonly reader: string;
  readonly nobody: string;
  /** May write in the other tenant. */
  readonly foreign: string;
  /** Everything that the Manager has logged. */
  readonly log: () => string;
  send(method: Method, path: string, body?: object, authorization?: string | null): Promise<Response>;
  /** The same Manager with another secret store, for what is sent in `use`. */
  withStore<T>(store: SecretStore, use: () => Promise<T>): Promise<T>;
  /** A good body, with what is given in its place. */
  body(given?: object): ServiceBody;
  create(given?: object): Promise<Response>;
  audited(id: string, action: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

interface ServiceBody {
  readonly name: string;
  readonly [part: string]: unknown;
}

export async function createServicesStage(
  parts: Parameters<typeof createTestManager>[0] = {},
  settings: Record<string, string> = {},
): Promise<ServicesStage> {
  const log = createKeptLog('trace');
  const manager = await createTestManager({ logger: log.logger, ...parts }, settings);
  const [tenant, other] = [await manager.createTenant(), await manager.createTenant()];
  const bearer = async (own: TestTenant, permission: string | undefined) => {
    const roles = permission === undefined ? [] : [await createTestRole(own, random(), [permission])];
    return (await createTestApplication(own, { roles })).bearer();
  };
  const application = await createTestApplication(tenant);
  let { app } = manager;
  const writer = await bearer(tenant, 'authsec:services:*');
  const stage: ServicesStage = {
    manager,
    tenant,
    application,
    writer,
    reader: await bearer(tenant, 'authsec:services:read'),
    nobody: await bearer(tenant, undefined),
    foreign: await bearer(other, 'authsec:services:*'),
    log: log.text,
    async withStore(store, use) {
      app = createApp({ ...manager.container, secrets: store });
      try {
        return await use();
      } finally {
        app = manager.app;
      }
    },
    send(method, path, body, authorization = writer) {
      const call = request(app)[method](path);
      if (authorization !== null) call.set('Authorization', authorization);
      return body === undefined ? call : call.send(body);
    },
    body: (given = {}) => ({
      name: `s${randomUUID()}`,
      base_url: 'https://api.example.com/v1',
      settings: { kind: 'bearer' },
      secret: { token: random() },
      requirement: { roles: ['developer'] },
      applications: [application.clientId],
      ...given,
    }),
    create: (given) => stage.send('post', '/v1/services', stage.body(given)),
    async audited(id, action) {
      const rows = await tenant.db.auditEvent.findMany({ where: { targetId: id, action }, orderBy: { id: 'asc' } });
      return rows.map(({ details }) => details as Record<string, unknown>);
    },
    close: () => manager.close(),
  };
  return stage;
}

/** That a secret is in none of what a Manager lets out: its log, its audit rows, and what is given. */
export async function expectNotTold(stage: ServicesStage, secrets: readonly string[], texts: readonly string[] = []) {
  const rows = await stage.tenant.db.auditEvent.findMany();
  const audit = JSON.stringify(rows.map(({ id, ...row }) => ({ ...row, id: String(id) })));
  for (const secret of secrets) {
    for (const text of [stage.log(), audit, ...texts]) expect(text).not.toContain(secret);
  }
}

/** The rest of the world: 401, 403 and 404 of one operation. */
export async function expectKeptOut(
  stage: ServicesStage,
  call: { readonly method: Method; readonly path: string; readonly body?: object; readonly mayRead?: boolean },
): Promise<void> {
  const { method, path, body, mayRead = false } = call;
  const statusOf = async (authorization: string | null) => (await stage.send(method, path, body, authorization)).status;
  expect(await statusOf(null)).toBe(401);
  expect(await statusOf('Bearer nonsense')).toBe(401);
  expect(await statusOf(stage.nobody)).toBe(403);
  if (!mayRead) expect(await statusOf(stage.reader)).toBe(403);
}

/** The store, where `calls` reject as if it were away. */
export function awayFor(
  store: SecretStore,
  ...calls: ('read' | 'write' | 'destroy' | 'destroyVersion')[]
): SecretStore {
  const away = () => Promise.reject(new SecretStoreError('unavailable', 'sealed'));
  return { ...store, ...Object.fromEntries(calls.map((call) => [call, away])) };
}
