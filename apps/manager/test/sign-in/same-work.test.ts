import { beforeEach, expect, jest, test } from '@jest/globals';

const verify = jest.fn(async (_hash: string, _password: string) => false);
const hash = jest.fn(async () => '$argon2id$decoy');
jest.unstable_mockModule('@node-rs/argon2', () => ({ hash, verify }));
const { verifyPassword } = await import('../../src/modules/sign-in/passwords.js');

beforeEach(() => void verify.mockClear());

test.each<[string, string | undefined, string]>([
  ['of an account', '$argon2id$own', 'a password'],
  ['of nobody', undefined, 'a password'],
  ['of nobody, empty', undefined, ''],
  ['of an account, empty', '$argon2id$own', ''],
  ['of nobody, too long', undefined, 'x'.repeat(300)],
  ['of an account, too long', '$argon2id$own', 'x'.repeat(300)],
])(
  'a password %s is hashed once, so that the time does not tell whether there is an account',
  async (_who, own, given) => {
    expect(await verifyPassword(own, given)).toBe(false);
    expect(verify.mock.calls.map(([against]) => against)).toEqual([own ?? '$argon2id$decoy']);
  },
);
