import { describe, expect, test } from '@jest/globals';
import { hashPassword, verifyPassword } from '../../src/modules/sign-in/passwords.js';

describe('password hashes', () => {
  test('are argon2id with the parameters of OWASP, and salted', async () => {
    const [one, two] = await Promise.all([hashPassword('a'), hashPassword('a')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
  });

  test('match their password only', async () => {
    const hash = await hashPassword('päss wörd');
    expect(await verifyPassword(hash, 'päss wörd')).toBe(true);
    expect(await verifyPassword(hash, 'päss wörd ')).toBe(false);
    expect(await verifyPassword(hash, '')).toBe(false);
  });

  test('of nobody match nothing, the decoy included', async () => {
    expect(await verifyPassword(undefined, 'no account has this password')).toBe(false);
    expect(await verifyPassword(undefined, 'refused')).toBe(false);
  });

  test('refuse what is longer than 256 characters, also where it would match', async () => {
    const long = 'x'.repeat(257);
    expect(await verifyPassword(await hashPassword(long), long)).toBe(false);
    expect(await verifyPassword(await hashPassword('refused'), long)).toBe(false);
  });
});
