import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createAttemptLimit } from '../../src/session/attempt-limit.js';
import { call, createService, guarded, type Service } from '../support/caller.js';
import { createFakeClock, type FakeClock } from '../support/fake-clock.js';
import { startFakeManager, type FakeManager } from '../support/fake-manager.js';

let manager: FakeManager;
let clock: FakeClock;
let service: Service;

beforeEach(async () => {
  manager = await startFakeManager();
  clock = createFakeClock();
  service = createService(manager, { clock });
});
afterEach(async () => {
  await service.close();
  await manager.close();
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('1e5 starts of one client reach the Manager five times, grow no memory, and lock nobody else out', async () => {
  const session = service.createSession(guarded);
  for (let time = 0; time < 5; time++) expect((await call(session, 'oauth_start')).status).toBe('pending');
  const refusal = await call(session, 'oauth_start');
  expect(refusal).toMatchObject({ error: 'too_many_attempts' });
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let time = 0; time < 100_000; time++) {
    const result = await session.callOAuthTool('oauth_start', {}, new AbortController().signal);
    if (!result.isError) throw new Error('not refused');
    service.lines.length = 0;
  }
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8_000_000);
  expect(manager.count('POST', '/t/acme/go')).toBe(5);

  expect((await call(service.createSession(guarded), 'oauth_start')).status).toBe('pending');
  await clock.advance(20_000);
  expect((await call(session, 'oauth_start')).status).toBe('pending');
  expect((await call(session, 'oauth_start')).error).toBe('too_many_attempts');
});

test('guessing codes is limited too', async () => {
  const session = service.createSession(guarded);
  const { session_id } = await call(session, 'oauth_start');
  const errors = [];
  for (let time = 0; time < 30; time++) {
    errors.push((await call(session, 'oauth_authenticate', { session_id, code: `guess-${time}` })).error);
  }
  expect(errors.filter((error) => error === 'code_refused')).toHaveLength(10);
  expect(errors.filter((error) => error === 'too_many_attempts')).toHaveLength(20);
});

test('an attempt comes back with time, and never more than the burst', async () => {
  const attempt = createAttemptLimit(clock, { burst: 2, everyMs: 10_000 });
  expect([attempt().allowed, attempt().allowed]).toEqual([true, true]);
  expect(attempt()).toEqual({ allowed: false, waitSeconds: 10 });
  await clock.advance(9_000);
  expect(attempt()).toEqual({ allowed: false, waitSeconds: 1 });
  await clock.advance(1_000_000);
  expect([attempt().allowed, attempt().allowed, attempt().allowed]).toEqual([true, true, false]);
});
