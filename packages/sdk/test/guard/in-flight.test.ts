import { expect, test } from '@jest/globals';
import { createInFlight } from '../../src/guard/in-flight.js';

const entry = (openedAt: number, cancelled = false) => ({ method: 'm', openedAt, cancelled });

test('an id is refused while it is open, also when it was cancelled, and free when it is closed', () => {
  const inFlight = createInFlight({ maxRequests: 10, maxAgeMs: 100 });
  expect(inFlight.open(0, entry(0, true))).toBe('opened');
  expect(inFlight.open(0, entry(1))).toBe('in_flight');
  expect(inFlight.close(0)).toEqual(entry(0, true));
  expect(inFlight.open(0, entry(1))).toBe('opened');
});

test('past the cap those give way that are too old, and none before it', () => {
  const inFlight = createInFlight({ maxRequests: 3, maxAgeMs: 100 });
  inFlight.open('old', entry(0));
  inFlight.open('young', entry(60));
  inFlight.open('third', entry(100));
  expect(inFlight.get('old')).toBeDefined();
  expect(inFlight.open('new', entry(100))).toBe('opened');
  expect(inFlight.get('old')).toBeUndefined();
  expect(inFlight.get('young')).toBeDefined();
});

test('past the cap the oldest cancelled one gives way, and nothing else does', () => {
  const inFlight = createInFlight({ maxRequests: 2, maxAgeMs: 100 });
  inFlight.open(1, entry(0));
  inFlight.open(2, entry(0, true));
  expect(inFlight.open(3, entry(0))).toBe('opened');
  expect(inFlight.get(2)).toBeUndefined();
  expect(inFlight.open(4, entry(0))).toBe('too_many');
  expect(inFlight.get(1)).toBeDefined();
});
