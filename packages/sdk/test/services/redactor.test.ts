import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { encodingsOf } from '../../src/services/encodings.js';
import { createRedactor, redacted } from '../../src/services/redactor.js';

const secret = fc.oneof(
  fc.string({ minLength: 4, maxLength: 60, unit: 'grapheme' }),
  fc.string({ minLength: 4, maxLength: 60, unit: 'binary-ascii' }),
  fc.base64String({ minLength: 8, maxLength: 60 }),
  fc.constantFrom('aaaa', 'abab', 'a/b+c=d&e<f>"g\'h', '\\u0041\\', 'ghp_1234567890abcdef', '💥🔑💥🔑'),
);
const filler = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ maxLength: 40 }).map((text) => new TextEncoder().encode(text)),
);

const bytes = (text: string) => Buffer.from(text);
const percentUpper = (text: string) =>
  [...bytes(text)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
const percentBut = (text: string, kept: string) =>
  [...text].map((char) => (/[\w.~-]/.test(char) || kept.includes(char) ? char : percentUpper(char))).join('');
const asciiJson = (text: string) =>
  JSON.stringify(text)
    .slice(1, -1)
    // oxlint-disable-next-line no-control-regex
    .replace(/[^\u0000-\u007f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const html = (text: string) =>
  text.replace(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[char]!);

/** Written apart from the code under test. */
const writings: readonly [name: string, write: (text: string) => string][] = [
  ['as it is', (text) => text],
  ['base64', (text) => bytes(text).toString('base64')],
  ['base64url', (text) => bytes(text).toString('base64url')],
  ['percent-encoded', encodeURIComponent],
  ['percent-encoded in lower case', (text) => encodeURIComponent(text).replace(/%../g, (byte) => byte.toLowerCase())],
  ['percent-encoded throughout', percentUpper],
  ['as a form', (text) => new URLSearchParams({ '': text }).toString().slice(1)],
  ['percent-encoded as Python does', (text) => percentBut(text, '/')],
  ['percent-encoded as Go does in a path', (text) => percentBut(text, '$&+:=@')],
  ['percent-encoded as little as a path allows', (text) => percentBut(text, "!$&'()*+,:;=@/")],
  ['percent-encoded as little as a query allows', (text) => percentBut(text, "!$&'()*+,:;=@/?")],
  ['as URL writes a query', (text) => Object.assign(new URL('http://h'), { search: `x=${text}` }).search.slice(3)],
  ['base64, percent-encoded', (text) => encodeURIComponent(bytes(text).toString('base64'))],
  ['in JSON', (text) => JSON.stringify(text).slice(1, -1)],
  ['in JSON in JSON', (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1)],
  ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text))],
  ['in JSON of ASCII', asciiJson],
  ['in JSON with escaped slashes', (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/')],
  ['in HTML', html],
  ['in hexadecimal', (text) => bytes(text).toString('hex')],
];

function cut(body: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (body.length + 1)))].sort((one, other) => one - other);
  return [...at, body.length].map((end, index) => body.slice(index === 0 ? 0 : at[index - 1], end));
}

/** As many of these, in no order. */
function signsOf(signs: string, length: number): string {
  const some = createHash('shake256', { outputLength: length }).update(signs).digest();
  return [...some].map((byte) => signs[byte % signs.length]).join('');
}

function redactInChunks(values: readonly string[], chunks: readonly Uint8Array[]): Buffer {
  const stream = createRedactor(values)!.stream();
  return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]);
}

/** Only one that is well-formed goes over a wire. */
const onWire = (text: string) => Buffer.from(text).toString() === text;
const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

describe('a secret in a body', () => {
  test.each(writings)(
    '%s: however it is cut into chunks, it is gone, and every other byte is as it was',
    (_, write) => {
      fc.assert(
        fc.property(secret, filler, filler, fc.array(fc.nat(), { maxLength: 12 }), (value, before, after, places) => {
          fc.pre(onWire(value));
          const written = bytes(write(value));
          // URL drops tabs and line breaks: what is left is another value, and may be too short.
          fc.pre(written.length >= value.length);
          const body = join(before, written, after);
          // Where the filler has part of it by chance, what is left cannot be foreseen.
          fc.pre(body.length === before.length + written.length + after.length);
          const whole = redactInChunks([value], [body]);
          const chunked = redactInChunks([value], cut(body, places));
          expect(chunked.equals(whole)).toBe(true);
          expect(chunked.includes(written)).toBe(false);
          const expected = Buffer.concat([before, bytes(redacted), after]);
          const surely = encodingsOf(value).every(
            (form) => !bytes(form).some((byte) => before.includes(byte) || after.includes(byte)),
          );
          if (surely) expect(chunked.equals(expected)).toBe(true);
        }),
        { numRuns: 100 },
      );
    },
  );

  test('in base64 of something longer it is gone, wherever it begins: but for bits that share a character with others', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, maxLength: 40 }),
        fc.uint8Array({ maxLength: 5 }),
        fc.uint8Array({ maxLength: 5 }),
        fc.constantFrom('base64' as const, 'base64url' as const),
        (value, before, after, encoding) => {
          fc.pre(onWire(value) && value.trim() === value);
          const text = Buffer.concat([before, bytes(value), after]).toString(encoding);
          const left = createRedactor([value])!.text(text);
          expect(left).toContain(redacted);
          const outside = left.replace(redacted, '').replaceAll('=', '');
          const bitsOfOthers = (before.length + after.length) * 8;
          expect(outside.length * 6).toBeLessThanOrEqual(bitsOfOthers + 6 + 5 + 5);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a body without it goes through unchanged, in any chunks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.array(fc.nat(), { maxLength: 30 }), (body, places) => {
        const value = 'ghp_1234567890abcdef';
        expect(redactInChunks([value], cut(body, places)).equals(Buffer.from(body))).toBe(true);
      }),
    );
  });

  test('byte by byte, of several secrets that begin alike, the longest is taken', () => {
    const values = ['abcd', 'abcdef', 'bcdefg'];
    const body = bytes('abcdefg abcde abcdabcdef bcdef bcdefg abc');
    const single = [...body].map((byte) => Uint8Array.of(byte));
    const left = redactInChunks(values, single).toString();
    expect(left).toBe(`${redacted}g ${redacted}e ${redacted}${redacted} bcdef ${redacted} abc`);
    expect(left).toBe(redactInChunks(values, [body]).toString());
  });

  test('only what may yet become the secret is kept back', () => {
    const stream = createRedactor(['ghp_1234567890'])!.stream();
    expect(Buffer.from(stream.push(bytes('event: one\n\n'))).toString()).toBe('event: one\n\n');
    expect(Buffer.from(stream.push(bytes('data: ghp_12'))).toString()).toBe('data: ');
    expect(Buffer.from(stream.push(bytes('34 no'))).toString()).toBe('ghp_1234 no');
    expect(Buffer.from(stream.end()).toString()).toBe('');
  });

  test.each(['pässwört-1', '密码-password-é', 'clé=x&y'])(
    'with signs beyond ASCII it is gone from headers, which are read as Latin-1, and from bodies of either charset: %s',
    (value) => {
      const redactor = createRedactor([value])!;
      const asHeader = bytes(value).toString('latin1');
      expect(redactor.text(`a=${asHeader}; b=${value}`)).toBe(`a=${redacted}; b=${redacted}`);
      expect(redactInChunks([value], cut(bytes(`<${value}>`), [3, 4, 5])).toString()).toBe(`<${redacted}>`);
      const latin1 = Buffer.from(value, 'latin1');
      if (latin1.toString('latin1') !== value) return;
      expect(redactInChunks([value], cut(join(bytes('<'), latin1, bytes('>')), [2, 5])).toString()).toBe(
        `<${redacted}>`,
      );
    },
  );

  test('a secret that is too short to be told from other text is left: its user is warned', () => {
    expect(createRedactor(['abc'])).toBeUndefined();
    expect(createRedactor(['', 'a'])).toBeUndefined();
    expect(createRedactor(['abc', 'user:abc'])?.text('user:abc has abc')).toBe(`${redacted} has abc`);
  });

  test.each([
    ['signs that every encoding makes longer', signsOf(`"<&é'+/\\`, 8_000)],
    ['signs of three bytes', signsOf('漢字密鍵', 8_000)],
    ['one line of a key', signsOf('aB3+/9zQ', 60_000)],
  ])('as long a secret as there may be is taken out in each encoding: %s', (_, value) => {
    const redactor = createRedactor([value])!;
    for (const written of encodingsOf(value)) {
      expect(redactor.text(`<${written}>`) === `<${redacted}>`).toBe(true);
      const chunks = cut(bytes(`<${written}>`), [7, 40_000]);
      expect(redactInChunks([value], chunks).toString() === `<${redacted}>`).toBe(true);
    }
  });
});
