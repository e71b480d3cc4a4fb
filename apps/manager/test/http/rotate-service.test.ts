import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { secretAddressOf } from '../../src/modules/services/service.js';
import { SecretStoreError } from '../../src/ports/secret-store.js';
import { createTestLogin, createTestPerson, random } from '../support/test-data.js';
import { awayFor, createServicesStage, expectKeptOut, expectNotTold, type ServicesStage } from '../support/services.js';

let stage: ServicesStage;
beforeAll(async () => {
  stage = await createServicesStage();
}, 60_000);
afterAll(() => stage?.close());

const rotate = (id: string, body: object, authorization?: string) =>
  stage.send('post', `/v1/services/${id}/rotate`, body, authorization);
const rowOf = (id: string) => stage.tenant.db.serviceConfiguration.findUniqueOrThrow({ where: { id } });
const read = (id: string, version: number) =>
  stage.manager.container.secrets.read(secretAddressOf(stage.tenant.id, id), { version }).then(
    ({ value }) => value['token'],
    (error: SecretStoreError) => error.failure,
  );

describe('200', () => {
  test('without an overlap the secret before is destroyed at once', async () => {
    const [first, second] = [`canary-${random()}`, `canary-${random()}`];
    const made = await stage.create({ secret: { token: first } });
    const answer = await rotate(made.body.id, { secret: { token: second } });
    expect([answer.status, answer.body]).toEqual([
      200,
      { ...made.body, secret_version: 2, updated_at: answer.body.updated_at },
    ]);
    expect([await read(made.body.id, 1), await read(made.body.id, 2)]).toEqual(['missing', second]);
    expect(await stage.audited(made.body.id, 'service.rotated')).toEqual([
      { name: made.body.name, secret_version: 2, previous_secret_version: null, previous_secret_until: null },
    ]);
    await expectNotTold(stage, [first, second], [answer.text, JSON.stringify(await rowOf(made.body.id))]);
  });

  test('with an overlap both are there until it ends, and the next rotation takes away the oldest', async () => {
    const { body } = await stage.create({ secret: { token: 'one-secret' } });
    const before = Date.now();
    const answer = await rotate(body.id, { secret: { token: 'two-secret' }, overlap_seconds: 600 });
    const until = Date.parse(answer.body.previous_secret_until) - before;
    expect(until).toBeGreaterThanOrEqual(600_000);
    expect(until).toBeLessThan(660_000);
    expect([await read(body.id, 1), await read(body.id, 2)]).toEqual(['one-secret', 'two-secret']);
    expect(await rowOf(body.id)).toMatchObject({ secretVersion: 2, previousSecretVersion: 1 });
    await rotate(body.id, { secret: { token: 'three-secret' }, overlap_seconds: 600 });
    expect([await read(body.id, 1), await read(body.id, 2), await read(body.id, 3)]).toEqual([
      'missing',
      'two-secret',
      'three-secret',
    ]);
    expect(await rowOf(body.id)).toMatchObject({ secretVersion: 3, previousSecretVersion: 2 });
  });

  test('an overlap that is over is shown as none', async () => {
    const { body } = await stage.create();
    await rotate(body.id, { secret: { token: 'two-secret' }, overlap_seconds: 600 });
    const data = { previousSecretUntil: new Date(Date.now() - 1) };
    await stage.tenant.db.serviceConfiguration.update({ where: { id: body.id }, data });
    expect((await stage.send('get', `/v1/services/${body.id}`)).body.previous_secret_until).toBeNull();
  });

  test('after a rotation that stopped half way, with its secret in the store and not in the row, the next one goes through', async () => {
    const { body } = await stage.create();
    const address = secretAddressOf(stage.tenant.id, body.id);
    await stage.manager.container.secrets.write(address, { token: 'orphan-secret' }, { expectedVersion: 1 });
    const answer = await rotate(body.id, { secret: { token: 'next-secret' }, overlap_seconds: 60 });
    expect([answer.status, answer.body.secret_version]).toEqual([200, 3]);
    expect([await read(body.id, 2), await read(body.id, 3)]).toEqual(['missing', 'next-secret']);
    expect(await rowOf(body.id)).toMatchObject({ secretVersion: 3, previousSecretVersion: 1 });
  });

  test('of ten at the same moment each is done or refused, and the row names the one secret that is left', async () => {
    const { body } = await stage.create();
    const tokens = Array.from({ length: 10 }, () => random());
    const answers = await Promise.all(tokens.map((token) => rotate(body.id, { secret: { token } })));
    const done = answers.filter(({ status }) => status === 200);
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    const { secretVersion } = await rowOf(body.id);
    expect(Math.max(...done.map((answer) => answer.body.secret_version as number))).toBe(secretVersion);
    const winner = answers.findIndex((answer) => answer.body.secret_version === secretVersion);
    expect(await read(body.id, secretVersion)).toBe(tokens[winner]);
    const where = { serviceId: body.id as string, destroyedAt: null };
    expect(await stage.tenant.db.sealedSecret.count({ where })).toBe(1);
    expect(await stage.audited(body.id, 'service.rotated')).toHaveLength(done.length);
  });
});

describe('400', () => {
  test.each([
    [{ secret: { key: 'x-secret' } }, '/secret/token'],
    [{ secret: { token: 'x-secret' }, overlap_seconds: -1 }, '/overlap_seconds'],
    [{ secret: { token: 'x-secret' }, overlap_seconds: 604_801 }, '/overlap_seconds'],
    [{}, '/secret'],
  ])('%j', async (body, pointer) => {
    const made = await stage.create();
    const answer = await rotate(made.body.id, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    expect((await rowOf(made.body.id)).secretVersion).toBe(1);
  });
});

test('401, 403', async () => {
  const { body } = await stage.create();
  const call = {
    method: 'post',
    path: `/v1/services/${body.id}/rotate`,
    body: { secret: { token: 'x-secret' } },
  } as const;
  await expectKeptOut(stage, call);
});

test("404 for one that is not there, and for another tenant's, whose secret stays", async () => {
  const { body } = await stage.create({ secret: { token: 'mine-secret' } });
  expect((await rotate(randomUUID(), { secret: { token: 'x-secret' } })).status).toBe(404);
  expect((await rotate(body.id, { secret: { token: 'x-secret' } }, stage.foreign)).status).toBe(404);
  expect(await read(body.id, 1)).toBe('mine-secret');
});

describe('503 while the secret store is away', () => {
  test('the secret in use stays in use', async () => {
    const { body } = await stage.create({ secret: { token: 'kept-secret' } });
    const { secrets } = stage.manager.container;
    const answer = await stage.withStore(awayFor(secrets, 'write'), () =>
      rotate(body.id, { secret: { token: 'x-secret' } }),
    );
    expect([answer.status, answer.body.code]).toEqual([503, 'secret_store_unavailable']);
    expect((await rowOf(body.id)).secretVersion).toBe(1);
    expect(await read(body.id, 1)).toBe('kept-secret');
  });

  test('when only the cleaning fails the rotation is done, and the next one cleans', async () => {
    const { body } = await stage.create();
    const { secrets } = stage.manager.container;
    const answer = await stage.withStore(awayFor(secrets, 'destroyVersion'), () =>
      rotate(body.id, { secret: { token: 'two-secret' } }),
    );
    expect(answer.status).toBe(200);
    expect(await read(body.id, 1)).not.toBe('missing');
    await rotate(body.id, { secret: { token: 'three-secret' } });
    expect([await read(body.id, 1), await read(body.id, 2)]).toEqual(['missing', 'missing']);
  });
});

test('a tool that asks in the moment of a rotation gets the new secret, not an error', async () => {
  const person = await createTestPerson(stage.tenant, { roles: ['developer'] });
  const { sid } = await createTestLogin(stage.tenant, stage.application, person, { bound: true });
  const { body } = await stage.create();
  const { secrets } = stage.manager.container;
  let rotation: Promise<unknown> | undefined;
  const store: typeof secrets = {
    ...secrets,
    async read(...args) {
      // After the row was read, before the secret is.
      rotation ??= rotate(body.id, { secret: { token: 'new-secret' } });
      await rotation;
      return secrets.read(...args);
    },
  };
  const caller = await stage.application.bearer();
  const answer = await stage.withStore(store, () =>
    stage.send('post', '/v1/service-credentials', { sid, service: body.name }, caller),
  );
  expect([answer.status, answer.body.credential]).toEqual([201, { type: 'bearer', token: 'new-secret' }]);
});
