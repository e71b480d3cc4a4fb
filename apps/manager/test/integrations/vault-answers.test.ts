import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { vaultPlan } from '../../src/integrations/vault/provision-vault.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import type { SecretAddress, SecretStore } from '../../src/ports/secret-store.js';
import { failureOf } from './secret-store-contract.js';
import { settingsFor, silent } from './vault-under-test.js';

/** Answers by method and path, as Vault does, or a status; a test puts another in the place of one. */
type Answers = Map<string, unknown>;

const plan = vaultPlan();
const address = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const satisfies SecretAddress;
const place = `acme/services/${address.serviceId}`;
const lease = `${plan.mounts.databases}/creds/acme.${address.serviceId}`;
const role = `auth/${plan.mounts.tenants}/role/acme`;
const token = (metadata: object) => ({
  auth: { client_token: 't', lease_duration: 600, renewable: true, policies: ['p'], metadata },
});
const secret = (given: object = {}, metadata: object = {}) => ({
  data: { data: { address: place, value: { token: 'canary' }, ...given }, metadata: { version: 2, ...metadata } },
});
const account = { lease_id: `${lease}/one`, lease_duration: 60, data: { username: 'u', password: 'canary' } };

let server: Server;
let answers: Answers;
let delayMs = 0;
let asked: string[] = [];
let store: SecretStore;
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/v1/', '').replace(/\?.*/, '');
    asked.push(`${request.method} ${path}`);
    const answer = answers.get(`${request.method} ${path}`);
    setTimeout(() => {
      const status = answer === undefined ? 404 : typeof answer === 'number' ? answer : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? answer : { errors: [] }));
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  await store?.close();
  delayMs = 0;
  asked = [];
  answers = new Map<string, unknown>([
    ['POST auth/approle/login', token({})],
    [`GET ${role}/role-id`, { data: { role_id: 'r' } }],
    [`POST ${role}/secret-id`, { wrap_info: { token: 'w', creation_path: `${role}/secret-id` } }],
    ['POST sys/wrapping/unwrap', { data: { secret_id: 's' } }],
    [`POST auth/${plan.mounts.tenants}/login`, token({ role_name: 'acme' })],
    [`GET ${plan.mounts.secrets}/data/${place}`, secret()],
    [`POST ${plan.mounts.secrets}/data/${place}`, { data: { version: 3 } }],
    [`GET ${lease}`, account],
  ]);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  store = await createVaultSecretStore(settingsFor({ address: url, plan }, { roleId: 'r', secretId: 's' }), {
    logger: silent,
  });
});
afterAll(() => store?.close());

const read = () => store.read(address, { version: 2 });
const write = () => store.write(address, { token: 'x' }, { expectedVersion: 2 });
const issue = () => store.databases!.issue(address);

test('what is of this address, this version and this tenant is taken', async () => {
  expect(await read()).toEqual({ value: { token: 'canary' }, version: 2 });
  expect(await write()).toBe(3);
  expect(await issue()).toMatchObject({ username: 'u', leaseSeconds: 60 });
});

test.each<[string, () => Promise<unknown>, string, unknown]>([
  ['a secret of another service', read, `GET ${plan.mounts.secrets}/data/${place}`, secret({ address: `${place}0` })],
  ['another version of the secret', read, `GET ${plan.mounts.secrets}/data/${place}`, secret({}, { version: 1 })],
  ['that another version was written', write, `POST ${plan.mounts.secrets}/data/${place}`, { data: { version: 9 } }],
  ['a lease of another database', issue, `GET ${lease}`, { ...account, lease_id: `${lease}0/one` }],
  [
    'a secret id of another role',
    read,
    `POST ${role}/secret-id`,
    { wrap_info: { token: 'w', creation_path: `${role}s/secret-id` } },
  ],
  ['a token of another tenant', read, `POST auth/${plan.mounts.tenants}/login`, token({ role_name: 'beta' })],
  ['something else', read, `GET ${plan.mounts.secrets}/data/${place}`, { data: 'canary' }],
])('%s, which Vault answers, is foreign, and nothing of it is told', async (_name, call, path, answer) => {
  answers.set(path, answer);
  const error: unknown = await call().catch((thrown: unknown) => thrown);
  expect(await failureOf(Promise.reject(error))).toBe('foreign');
  expect(`${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('canary');
});

test('answers that each come in time are together not waited for longer than 1.5 s', async () => {
  delayMs = 600;
  await expect(read()).rejects.toMatchObject({
    failure: 'unavailable',
    message: expect.stringContaining('within 1500 ms'),
  });
});

test('accounts of a database that is removed are not forgotten while Vault does not end them', async () => {
  answers.set(`POST sys/leases/revoke-prefix/${lease}`, 503);
  expect(await failureOf(store.databases!.remove(address))).toBe('unavailable');
  expect(asked.filter((request) => request.includes('revoke'))).toEqual([`POST sys/leases/revoke-prefix/${lease}`]);
  answers.set(`POST sys/leases/revoke-prefix/${lease}`, 500);
  answers.set(`POST sys/leases/revoke-force/${lease}`, {});
  await store.databases!.remove(address);
  expect(asked.filter((request) => request.includes('revoke-force'))).toHaveLength(1);
});
