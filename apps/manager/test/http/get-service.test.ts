import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { random } from '../support/test-data.js';
import { createServicesStage, expectKeptOut, type ServicesStage } from '../support/services.js';

let stage: ServicesStage;
beforeAll(async () => {
  stage = await createServicesStage();
}, 60_000);
afterAll(() => stage?.close());

test('200 to who may only read: what was made, without its secret', async () => {
  const token = random();
  const made = await stage.create({ secret: { token } });
  const answer = await stage.send('get', `/v1/services/${made.body.id}`, undefined, stage.reader);
  expect([answer.status, answer.body]).toEqual([200, made.body]);
  expect(answer.text).not.toContain(token);
});

test('200 with what was last found out about it', async () => {
  const { body } = await stage.create();
  const at = new Date('2026-01-02T03:04:05.000Z');
  const data = { lastUsedAt: at, lastCheckAt: at, lastCheckOutcome: 'http_503' };
  await stage.tenant.db.serviceConfiguration.update({ where: { id: body.id }, data });
  const answer = await stage.send('get', `/v1/services/${body.id}`);
  expect(answer.body).toMatchObject({
    last_used_at: at.toISOString(),
    last_check: { at: at.toISOString(), outcome: 'http_503' },
  });
});

test('400 for what is no id', async () => {
  for (const id of ['x', 'github', '%2e%2e', `${randomUUID()}x`]) {
    const answer = await stage.send('get', `/v1/services/${id}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  }
});

test('401, 403', async () => {
  const { body } = await stage.create();
  await expectKeptOut(stage, { method: 'get', path: `/v1/services/${body.id}`, mayRead: true });
});

test("404 for one that is not there, and for another tenant's", async () => {
  const { body } = await stage.create();
  expect((await stage.send('get', `/v1/services/${randomUUID()}`)).status).toBe(404);
  const answer = await stage.send('get', `/v1/services/${body.id}`, undefined, stage.foreign);
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
});
