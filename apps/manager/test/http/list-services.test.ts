import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { random } from '../support/test-data.js';
import { createServicesStage, expectKeptOut, type ServicesStage } from '../support/services.js';

let stage: ServicesStage;
beforeAll(async () => {
  stage = await createServicesStage();
}, 60_000);
afterAll(() => stage?.close());

const list = (authorization?: string) => stage.send('get', '/v1/services', undefined, authorization);

test('200: none at first, then all of the tenant by name, to who may only read, and no secret with them', async () => {
  expect((await list()).body).toEqual({ services: [] });
  const token = random();
  const made = [await stage.create({ name: 'zeta', secret: { token } }), await stage.create({ name: 'alpha' })];
  const answer = await list(stage.reader);
  expect([answer.status, answer.body]).toEqual([200, { services: [made[1]!.body, made[0]!.body] }]);
  expect(answer.text).not.toContain(token);
  expect(answer.text).not.toContain('"secret"');
});

test('200: those of another tenant are not among them', async () => {
  expect((await list(stage.foreign)).body).toEqual({ services: [] });
});

test('400 for a query that it does not take', async () => {
  const answer = await stage.send('get', '/v1/services?secret=1');
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('401, 403', async () => {
  await expectKeptOut(stage, { method: 'get', path: '/v1/services', mayRead: true });
});
