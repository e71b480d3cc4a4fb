import { expect, test } from '@jest/globals';
import { dropReservedArguments } from '../../src/guard/reserved-names.js';

test('what is reserved is dropped, and __proto__, by which it could be inherited', () => {
  const args = JSON.parse(
    '{"a":1,"_user_info":1,"_authsec":1,"_authsec_x":1,"__proto__":{"_user_info":1},"constructor":2}',
  );
  const kept = dropReservedArguments(args);
  expect(Object.entries(kept)).toEqual([
    ['a', 1],
    ['constructor', 2],
  ]);
  expect('_user_info' in kept).toBe(false);
});

test('names that only look reserved are the author’s', () => {
  const args = { _user: 1, user_info: 1, _User_Info: 1, authsec: 1, _auth: 1, '': 1 };
  expect(dropReservedArguments(args)).toBe(args);
});
