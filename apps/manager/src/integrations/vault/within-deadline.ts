import { SecretStoreError } from '../../ports/secret-store.js';

/** Rejects with SecretStoreError and nothing else, at the latest after `timeoutMs`. */
export async function withinDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new SecretStoreError('unavailable', `Vault did not answer within ${timeoutMs} ms`));
      controller.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } catch (error) {
    if (error instanceof SecretStoreError || error instanceof TypeError) throw error;
    throw new SecretStoreError('denied', error instanceof Error ? error.message : 'Vault could not be used');
  } finally {
    clearTimeout(timer);
  }
}
