import { hash, verify } from '@node-rs/argon2';

/** argon2id as OWASP's password storage cheat sheet has it: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Longer ones are refused: hashing work must not grow with the input. */
export const maxPasswordLength = 256;

/** A PHC string. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, parameters);
}

let decoy: Promise<string> | undefined;

/** Does the same work where there is no hash (unknown account), so that the time tells nothing. */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const usable = password.length > 0 && password.length <= maxPasswordLength;
  decoy ??= hashPassword('no account has this password');
  const matches = await verify(passwordHash ?? (await decoy), usable ? password : 'refused');
  return matches && usable && passwordHash !== undefined;
}
