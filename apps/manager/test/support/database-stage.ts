import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import request, { type Response } from 'supertest';
import { createApp } from '../../src/app.js';
import { createLeasesService } from '../../src/modules/services/leases.service.js';
import { createSessionsService } from '../../src/modules/sessions/sessions.service.js';
import { type DynamicDatabases, SecretStoreError } from '../../src/ports/secret-store.js';
import { createServicesStage } from './services.js';
import { random } from './test-data.js';

/** What makes accounts and takes them away, as far as anybody can see from outside. */
function createAccounts() {
  const living = new Map<string, string>();
  const state = {
    living,
    away: false,
    hangs: false,
    stuck: new Set<string>(),
    password: `canary-${random()}`,
    leaseSeconds: 60,
    renewed: [] as number[],
  };
  const databases: DynamicDatabases = {
    configure: async () => {},
    async issue() {
      if (state.hangs) await new Promise((resolve) => setTimeout(resolve, 2_100));
      const username = `v-${random(6)}`;
      living.set(`lease/${username}`, username);
      return { leaseId: `lease/${username}`, username, password: state.password, leaseSeconds: state.leaseSeconds };
    },
    async renew(_address, leaseId, seconds) {
      if (state.away) throw new SecretStoreError('unavailable', 'sealed');
      if (!living.has(leaseId)) throw new SecretStoreError('missing', 'no such lease');
      state.renewed.push(seconds);
      return seconds;
    },
    async revoke(_address, leaseId) {
      if (state.away || state.stuck.has(leaseId)) throw new SecretStoreError('unavailable', 'sealed');
      living.delete(leaseId);
    },
    remove: async () => {},
  };
  return { ...state, state, databases };
}

/** A Manager with a service of kind `database`, which developers may use, on a store whose accounts tests can see. */
export async function createDatabaseStage() {
  const stage = await createServicesStage();
  const accounts = createAccounts();
  const { container } = stage.manager;
  const secrets = { ...container.secrets, databases: accounts.databases };
  const leases = createLeasesService({ ...container, secrets });
  const sessions = createSessionsService({ ...container, onEnded: (tenantId, db) => leases.sweep(tenantId, db) });
  const app = createApp({ ...container, secrets, leases, sessions });
  const send = (method: 'post' | 'delete' | 'patch', path: string, authorization: string) =>
    request(app)[method](path).set('Authorization', authorization);
  const name = `db${randomUUID()}`;
  const made = await send('post', '/v1/services', stage.writer).send({
    name,
    settings: {
      kind: 'database',
      host: 'db.example.com',
      database: 'reports',
      tls: 'require',
      creation_statements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`],
    },
    secret: { username: 'maker', password: 'of-the-maker' },
    requirement: { roles: ['developer'] },
    applications: [stage.application.clientId],
    raw_credential: true,
  });
  expect([made.status, made.text]).toEqual([201, expect.any(String)]);
  const service = made.body as { readonly id: string; readonly name: string };
  const issue = async (sid: string): Promise<Response> =>
    send('post', '/v1/service-credentials', await stage.application.bearer()).send({
      sid,
      service: service.name,
      raw: true,
      tool: 'run_report',
    });
  /** While the application is one that runs on a person's own machine. */
  const asPublicClient = async (use: () => Promise<void>): Promise<void> => {
    const { tenant, application } = stage;
    const become = (tokenEndpointAuthMethod: string) =>
      tenant.db.application.update({ where: { id: application.id }, data: { tokenEndpointAuthMethod } });
    await become('none');
    try {
      await use();
    } finally {
      await become('client_secret_basic');
    }
  };
  return { stage, accounts, app, sessions, service, send, issue, asPublicClient };
}
export type DatabaseStage = Awaited<ReturnType<typeof createDatabaseStage>>;
