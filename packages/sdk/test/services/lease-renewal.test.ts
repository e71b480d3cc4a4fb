import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AuthSecError, type AuthSecErrorCode } from '../../src/authsec-error.js';
import { type LeaseRenewal, renewLease } from '../../src/services/lease-renewal.js';
import { createFakeClock, type FakeClock } from '../support/fake-clock.js';

let clock: FakeClock;
let renewal: LeaseRenewal;
let asked: number[];
let warned: string[];
let answer: () => number;

beforeEach(() => {
  clock = createFakeClock();
  [asked, warned] = [[], []];
  answer = () => 60;
  const warn = (message: string) => void warned.push(message);
  const start = clock.monotonic();
  renewal = renewLease({
    name: 'reports',
    endsAt: start + 60_000,
    renew: async () => {
      asked.push((clock.monotonic() - start) / 1_000);
      return answer();
    },
    clock,
    log: { debug() {}, info() {}, warn, error() {} },
  });
});
afterEach(() => renewal.stop());

const refuse = (code: AuthSecErrorCode) => () => {
  throw new AuthSecError(code, 'no');
};
async function pass(seconds: number): Promise<void> {
  for (let one = 0; one < seconds; one++) await clock.advance(1_000);
}

test('is asked for at two thirds, again and again', async () => {
  await pass(125);
  expect(asked).toEqual([40, 80, 120]);
  expect(renewal.endsAt - clock.monotonic()).toBe(55_000);
});

test('ends where it gains nothing more: the account has lived as long as it may', async () => {
  answer = () => 100 - asked.at(-1)!;
  await pass(200);
  expect(asked).toEqual([40, 80]);
  expect(warned).toEqual([]);
});

test.each(['service_denied', 'session_expired', 'service_unknown', 'not_signed_in'] as const)(
  '%s is the end of it, and stands in the log',
  async (code) => {
    answer = refuse(code);
    await pass(100);
    expect(asked).toEqual([40]);
    expect(warned).toEqual([expect.stringMatching(/reports is not renewed, and ends/)]);
  },
);

test.each(['manager_unavailable', 'secret_store_unavailable', 'policy_unavailable'] as const)(
  'after %s it is asked for again, while there is time',
  async (code) => {
    answer = refuse(code);
    await pass(54);
    answer = () => 60;
    await pass(5);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.length).toBeLessThan(6);
    expect(renewal.endsAt - clock.monotonic()).toBeGreaterThan(50_000);
  },
);

test('is asked for no more once it is stopped', async () => {
  await pass(50);
  renewal.stop();
  await pass(100);
  expect(asked).toEqual([40]);
});

test('that is stopped while it is asked for plans nothing, and says nothing', async () => {
  answer = () => {
    renewal.stop();
    throw new AuthSecError('credential_escaped', 'over');
  };
  await pass(100);
  expect([asked, warned]).toEqual([[40], []]);
});
