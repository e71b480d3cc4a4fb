import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type { Secret } from '../config/secret.js';
import { AppError } from '../errors/app-error.js';
import type { Sealer } from '../ports/sealer.js';

export interface SealingKey {
  readonly id: string;
  /** Base64 of 32 bytes. */
  readonly key: Secret;
}

const algorithm = 'aes-256-gcm';
const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/** The first key seals, all open. Layout: version, length of the key id, key id, iv, tag, ciphertext. */
export function createAesGcmSealer(sealingKeys: readonly SealingKey[]): Sealer {
  const entries = sealingKeys.map(({ id, key }) => ({ id, key: toKeyObject(id, key) }));
  const keys = new Map(entries.map(({ id, key }) => [id, key]));
  const current = entries[0];
  if (!current || keys.size !== sealingKeys.length)
    throw new TypeError('sealingKeys: one or more, with ids that differ');

  return {
    keyIds: [current.id, ...entries.slice(1).map(({ id }) => id)],

    keyIdOf(sealed) {
      const bytes = Buffer.from(sealed);
      return bytes[0] === version ? bytes.toString('utf8', 2, 2 + (bytes[1] ?? 0)) : undefined;
    },

    seal(plaintext, additionalData) {
      const header = encodeHeader(current.id);
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, current.key, iv, { authTagLength: tagBytes });
      cipher.setAAD(bind(header, additionalData));
      const ciphertext = Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final()]);
      return Buffer.concat([header, iv, cipher.getAuthTag(), ciphertext]);
    },

    open(sealed, additionalData) {
      const bytes = Buffer.from(sealed);
      const headerEnd = 2 + (bytes[1] ?? 0);
      const tagStart = headerEnd + ivBytes;
      if (bytes[0] !== version || bytes.length < tagStart + tagBytes) throw cannotOpen(additionalData, 'malformed');
      const key = keys.get(bytes.toString('utf8', 2, headerEnd));
      if (!key) throw cannotOpen(additionalData, 'its key is not known');
      const iv = bytes.subarray(headerEnd, tagStart);
      const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes });
      decipher.setAAD(bind(bytes.subarray(0, headerEnd), additionalData));
      decipher.setAuthTag(bytes.subarray(tagStart, tagStart + tagBytes));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(tagStart + tagBytes)), decipher.final()]);
      } catch (cause) {
        throw cannotOpen(additionalData, 'changed, or of another row', cause);
      }
    },
  };
}

function toKeyObject(id: string, key: Secret): KeyObject {
  const idBytes = Buffer.byteLength(id);
  if (idBytes === 0 || idBytes > 255) throw new TypeError('a sealing key id has 1 to 255 bytes');
  const bytes = Buffer.from(key.reveal(), 'base64');
  if (bytes.length !== 32) throw new TypeError(`sealing key ${id}: must be base64 of 32 bytes`);
  return createSecretKey(bytes);
}

function encodeHeader(keyId: string): Buffer {
  const id = Buffer.from(keyId);
  return Buffer.concat([Buffer.from([version, id.length]), id]);
}

function bind(header: Buffer, additionalData: string): Buffer {
  return Buffer.concat([header, Buffer.from(additionalData)]);
}

function cannotOpen(additionalData: string, why: string, cause?: unknown): AppError {
  return new AppError('internal_error', `the sealed value of ${additionalData} does not open: ${why}`, { cause });
}
