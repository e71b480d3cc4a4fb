import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectionAddressOf, secretAddressOf } from '../../src/modules/services/service.js';
import { createTestPerson } from '../support/test-data.js';
import { awayFor, createServicesStage, expectKeptOut, type ServicesStage } from '../support/services.js';

let stage: ServicesStage;
beforeAll(async () => {
  stage = await createServicesStage();
}, 60_000);
afterAll(() => stage?.close());

const remove = (id: string, authorization?: string) =>
  stage.send('delete', `/v1/services/${id}`, undefined, authorization);
const secretsOf = (serviceId: string) => stage.tenant.db.sealedSecret.count({ where: { serviceId } });

/** A service with a rotated secret, a person's own account, a link on its way and a credential that is handed out. */
async function createInUse(): Promise<{ id: string; leaseId: string }> {
  const { db, id: tenantId } = stage.tenant;
  const { body } = await stage.create();
  const id = body.id as string;
  await stage.send('post', `/v1/services/${id}/rotate`, { secret: { token: 'second-secret' }, overlap_seconds: 600 });
  const person = await createTestPerson(stage.tenant);
  const { secrets } = stage.manager.container;
  await secrets.write(connectionAddressOf(tenantId, id, person.id), { access_token: 'a' }, { expectedVersion: 0 });
  await db.serviceConnection.create({ data: { serviceId: id, userId: person.id, secretVersion: 1 } });
  const expiresAt = new Date(Date.now() + 60_000);
  const common = { serviceId: id, userId: person.id, sid: randomUUID(), expiresAt };
  const applicationId = stage.application.id;
  await db.serviceConnectAttempt.create({ data: { ...common, applicationId, linkHash: randomUUID() } });
  const lease = await db.serviceLease.create({ data: { ...common, applicationId, sealedLeaseId: Buffer.from('x') } });
  return { id, leaseId: lease.id };
}

describe('204', () => {
  test('its secrets, the accounts that people connected and the links on their way are gone; what was handed out has ended', async () => {
    const { id, leaseId } = await createInUse();
    expect(await secretsOf(id)).toBe(3);
    expect((await remove(id)).status).toBe(204);
    const { db } = stage.tenant;
    expect([
      await secretsOf(id),
      await db.serviceConnection.count({ where: { serviceId: id } }),
      await db.serviceConnectAttempt.count({ where: { serviceId: id } }),
    ]).toEqual([0, 0, 0]);
    expect(await db.serviceLease.findUnique({ where: { id: leaseId } })).toMatchObject({
      serviceId: null,
      endedAt: expect.any(Date),
    });
    expect((await stage.send('get', `/v1/services/${id}`)).status).toBe(404);
    expect(await stage.audited(id, 'service.deleted')).toEqual([
      expect.objectContaining({ kind: 'bearer', connections_ended: 1 }),
    ]);
  });

  test('the name is free again, and the service under it has nothing of the one before', async () => {
    const { body } = await stage.create();
    await remove(body.id);
    const again = await stage.create({ name: body.name });
    expect([again.status, again.body.secret_version]).toEqual([201, 1]);
    expect(again.body.id).not.toBe(body.id);
  });
});

test('400 for what is no id', async () => {
  expect((await remove('github')).status).toBe(400);
});

test('401, 403', async () => {
  const { body } = await stage.create();
  await expectKeptOut(stage, { method: 'delete', path: `/v1/services/${body.id}` });
});

test("404 for one that is gone, and for another tenant's, which stays", async () => {
  const { body } = await stage.create();
  expect((await remove(body.id, stage.foreign)).status).toBe(404);
  expect((await remove(body.id)).status).toBe(204);
  expect((await remove(body.id)).status).toBe(404);
});

test('503 while the secret store is away: nothing is deleted, and the service goes on', async () => {
  const { id } = await createInUse();
  const { secrets } = stage.manager.container;
  const answer = await stage.withStore(awayFor(secrets, 'destroy'), () => remove(id));
  expect([answer.status, answer.body.code]).toEqual([503, 'secret_store_unavailable']);
  expect(await secretsOf(id)).toBe(3);
  expect(await stage.tenant.db.serviceConnection.count({ where: { serviceId: id } })).toBe(1);
  expect(await stage.tenant.db.serviceLease.count({ where: { serviceId: id, endedAt: null } })).toBe(1);
  expect(await stage.audited(id, 'service.deleted')).toEqual([]);
  expect((await secrets.read(secretAddressOf(stage.tenant.id, id))).value).toEqual({ token: 'second-secret' });
  expect((await remove(id)).status).toBe(204);
});
