import { describe, expect, test } from '@jest/globals';
import type { HttpSession } from '../../src/streamable-http/http-session.js';
import { createSessionMap } from '../../src/streamable-http/session-map.js';

function setUp(maxSessions = 3, maxStrangersPerAddress = 1_000) {
  const clock = { at: 0 };
  const closed: string[] = [];
  const map = createSessionMap(
    { maxSessions, maxStrangersPerAddress, idleTimeoutMs: 100, absoluteTimeoutMs: 1_000 },
    () => clock.at,
  );
  const add = (id: string, address = 'a', isSignedIn = false) => {
    const session: HttpSession = {
      transport: {} as never,
      address,
      isSignedIn: () => isSignedIn,
      close: async () => void closed.push(id),
    };
    map.add(id, session);
  };
  return { clock, closed, map, add };
}

describe('limits', () => {
  test('an idle session is over, a used one goes on', () => {
    const { clock, closed, map, add } = setUp();
    add('idle');
    add('used');
    clock.at = 60;
    map.use('used')?.release();
    clock.at = 100;
    expect(map.use('idle')).toBeUndefined();
    expect(map.use('used')).toBeDefined();
    expect(closed).toEqual(['idle']);
  });

  test('a session with something open is not idle, and idle from when it ends', () => {
    const { clock, map, add } = setUp();
    add('open');
    const used = map.use('open');
    clock.at = 500;
    map.sweep();
    expect(map.size).toBe(1);
    used?.release();
    used?.release();
    clock.at = 599;
    map.sweep();
    expect(map.size).toBe(1);
    clock.at = 600;
    map.sweep();
    expect(map.size).toBe(0);
  });

  test('no session outlives the absolute limit, whatever it does', () => {
    const { clock, closed, map, add } = setUp();
    add('busy', 'a', true);
    map.use('busy');
    clock.at = 999;
    map.sweep();
    expect(map.size).toBe(1);
    clock.at = 1_000;
    expect(map.use('busy')).toBeUndefined();
    expect(closed).toEqual(['busy']);
  });

  test('sweep closes what is over and nobody asks for', () => {
    const { clock, closed, map, add } = setUp();
    add('one');
    clock.at = 50;
    add('two');
    clock.at = 100;
    map.sweep();
    expect(closed).toEqual(['one']);
  });
});

describe('room', () => {
  test('is made by the longest idle session of the address that has the most', () => {
    const { closed, map, add } = setUp(4);
    add('quiet', 'quiet');
    add('flood 1', 'flood');
    add('flood 2', 'flood');
    add('flood 3', 'flood');
    map.use('flood 1')?.release();
    expect(map.makeRoom('new')).toBe(true);
    expect(closed).toEqual(['flood 2']);
  });

  test('streams held open do not keep a flood', () => {
    const { closed, map, add } = setUp(3);
    add('quiet', 'quiet');
    add('flood 1', 'flood');
    add('flood 2', 'flood');
    map.use('flood 1');
    map.use('flood 2');
    expect(map.makeRoom('new')).toBe(true);
    expect(closed).toEqual(['flood 1']);
  });

  test('is never made by one that is signed in', () => {
    const { closed, map, add } = setUp(2);
    add('one', 'a', true);
    add('two', 'a', true);
    expect(map.makeRoom('new')).toBe(false);
    expect(closed).toEqual([]);
  });

  test('is there where sessions are over', () => {
    const { clock, closed, map, add } = setUp(2);
    add('one', 'a', true);
    add('two', 'b');
    clock.at = 100;
    expect(map.makeRoom('new')).toBe(true);
    expect(closed).toEqual(['one', 'two']);
  });

  test('one address has so many sessions without a login, and makes room at its own cost while others are idle longer', () => {
    const { closed, map, add } = setUp(100, 3);
    add('other', 'other');
    add('signed in', 'flood', true);
    add('flood 1', 'flood');
    add('flood 2', 'flood');
    expect(map.makeRoom('flood')).toBe(true);
    expect(closed).toEqual([]);
    add('flood 3', 'flood');
    expect(map.makeRoom('flood')).toBe(true);
    expect(closed).toEqual(['flood 1']);
    expect(map.makeRoom('new')).toBe(true);
    expect(closed).toEqual(['flood 1']);
  });
});

test('closeAll closes all', async () => {
  const { closed, map, add } = setUp();
  add('one');
  add('two');
  await map.closeAll();
  expect(closed).toEqual(['one', 'two']);
  expect(map.size).toBe(0);
});
