import { type SecretAddress, type SecretStore, SecretStoreError } from '../../ports/secret-store.js';

/** More than failed cleanings leave behind. */
const looksBack = 10;

/**
 * Destroys the tokens of a connection and lets the count of its versions go on: a refresh that began before, and knows
 * an older one, can write nothing over what the person connects later. Rejects with SecretStoreError.
 */
export async function forgetTokens(
  secrets: Pick<SecretStore, 'currentVersion' | 'write' | 'destroyVersion'>,
  address: SecretAddress,
): Promise<void> {
  const newest = await leaveEmpty();
  const count = Math.min(looksBack, newest - 1) + 1;
  const versions = newest === 0 ? [] : Array.from({ length: count }, (_, index) => newest - index);
  await Promise.all(versions.map((version) => secrets.destroyVersion(address, version)));

  /** A refresh that is under way may write at the same moment. */
  async function leaveEmpty(triesLeft = 3): Promise<number> {
    const expectedVersion = await secrets.currentVersion(address);
    if (expectedVersion === 0) return 0;
    try {
      return await secrets.write(address, {}, { expectedVersion });
    } catch (error) {
      const again = error instanceof SecretStoreError && error.failure === 'conflict' && triesLeft > 1;
      if (!again) throw error;
      return leaveEmpty(triesLeft - 1);
    }
  }
}
