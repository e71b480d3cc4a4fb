import { AppError } from '../../errors/app-error.js';
import type { SealedValue, Sealer } from '../../ports/sealer.js';

export interface RewrapResult {
  readonly rewrapped: number;
  /** Still under another key: it has to be asked again, or they do not open. */
  readonly remaining: number;
}

/** As many as a request has time for. */
const most = 2_000;

/** Seals anew, under the first key, what is under another one. What does not open stays as it is and is counted. */
export async function rewrapValues(
  sealer: Sealer,
  ...sources: readonly (Iterable<SealedValue> | AsyncIterable<SealedValue>)[]
): Promise<RewrapResult> {
  let [rewrapped, remaining] = [0, 0];
  for (const source of sources) {
    for await (const value of source) {
      if (sealer.keyIdOf(value.sealed) === sealer.keyIds[0]) continue;
      if (rewrapped < most && (await rewrapValue(sealer, value))) rewrapped++;
      else remaining++;
    }
  }
  return { rewrapped, remaining };
}

async function rewrapValue(sealer: Sealer, { sealed, additionalData, replace }: SealedValue): Promise<boolean> {
  let plaintext: Buffer;
  try {
    plaintext = sealer.open(sealed, additionalData);
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
  return replace(sealer.seal(plaintext, additionalData));
}
