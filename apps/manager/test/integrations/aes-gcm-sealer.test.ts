import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/config/secret.js';
import { createAesGcmSealer } from '../../src/integrations/aes-gcm-sealer.js';

const key = (id: string) => ({ id, key: new Secret(randomBytes(32).toString('base64')) });
const [first, second] = [key('2026-01'), key('2026-02')];
const sealer = createAesGcmSealer([first]);
const row = 'acme-corp/signing_keys/k1';
const cannotOpen = expect.objectContaining({ code: 'internal_error' });

describe('a sealed value', () => {
  test.each(['', 'a secret', 'ü'.repeat(10_000)])('opens to what it was, text of %#', (text) => {
    expect(sealer.open(sealer.seal(text, row), row).toString('utf8')).toBe(text);
  });

  test('opens to what it was, bytes', () => {
    const bytes = randomBytes(1_000);
    expect(sealer.open(new Uint8Array(sealer.seal(bytes, row)), row)).toEqual(bytes);
  });

  test('shows nothing of what it holds, and differs each time', () => {
    const sealed = [sealer.seal('a secret', row), sealer.seal('a secret', row)];
    expect(sealed[0]).not.toEqual(sealed[1]);
    expect(sealed[0]?.includes('a secret')).toBe(false);
  });

  test.each(['globex/signing_keys/k1', 'acme-corp/applications/k1', 'acme-corp/signing_keys/k2', ''])(
    'moved to the row %j does not open',
    (other) => expect(() => sealer.open(sealer.seal('a secret', row), other)).toThrow(cannotOpen),
  );

  test('cut off anywhere does not open', () => {
    const sealed = sealer.seal('a secret', row);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => sealer.open(sealed.subarray(0, length), row)).toThrow(cannotOpen);
    }
  });

  test('with any bit changed, or with anything added, does not open', () => {
    const sealed = sealer.seal('a secret', row);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => sealer.open(changed, row)).toThrow(cannotOpen);
    }
    expect(() => sealer.open(Buffer.concat([sealed, Buffer.from([0])]), row)).toThrow(cannotOpen);
  });

  test('of a key that is not known, or is another under the same id, does not open', () => {
    const sealed = createAesGcmSealer([second]).seal('a secret', row);
    expect(() => sealer.open(sealed, row)).toThrow(/its key is not known/);
    const impostor = { id: first.id, key: second.key };
    expect(() => sealer.open(createAesGcmSealer([impostor]).seal('a secret', row), row)).toThrow(cannotOpen);
  });

  test('that does not open says so without its bytes or its key', () => {
    const sealed = sealer.seal('a secret', row);
    try {
      sealer.open(sealed, 'globex');
    } catch (error) {
      expect(String(error)).toBe('AppError: the sealed value of globex does not open: changed, or of another row');
    }
    expect.assertions(1);
  });
});

describe('rotation', () => {
  test('the first key seals and all open', () => {
    const old = sealer.seal('a secret', row);
    const rotated = createAesGcmSealer([second, first]);
    expect(rotated.open(old, row).toString()).toBe('a secret');
    const renewed = rotated.seal('a secret', row);
    expect(createAesGcmSealer([second]).open(renewed, row).toString()).toBe('a secret');
    expect(() => sealer.open(renewed, row)).toThrow(cannotOpen);
  });
});

describe('keys', () => {
  test.each([
    ['none', []],
    ['two under one id', [first, { id: first.id, key: second.key }]],
    ['one of 16 bytes', [{ id: 'short', key: new Secret(randomBytes(16).toString('base64')) }]],
    ['one without an id', [{ id: '', key: first.key }]],
  ])('%s are refused at the start', (_, keys) => expect(() => createAesGcmSealer(keys)).toThrow(TypeError));
});
