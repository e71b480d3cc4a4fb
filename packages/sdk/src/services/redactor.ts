import { encodingsOf } from './encodings.js';

export const redacted = '[redacted]';

/** Takes exact values out of texts and bytes, in whatever encoding they stand there, and leaves everything else as it is. */
export interface Redactor {
  text(text: string): string;
  /** For one body: chunks in, chunks out; it keeps back only what may yet become a value. */
  stream(): RedactingStream;
}

export interface RedactingStream {
  push(chunk: Uint8Array): Uint8Array;
  /** What is left when the body is over. */
  end(): Uint8Array;
}

/** `values` are taken out in every encoding. Undefined where nothing is to be taken out. */
export function createRedactor(values: readonly string[]): Redactor | undefined {
  const patterns = [...new Set(values.flatMap(encodingsOf))];
  if (patterns.length === 0) return undefined;
  const ofText = alternation(patterns);
  const bytePatterns = [...new Set(patterns.map((pattern) => Buffer.from(pattern).toString('latin1')))];
  const ofBytes = alternation(bytePatterns);
  return {
    text: (text) => text.replaceAll(ofText, redacted),
    stream: () => createRedactingStream(ofBytes, bytePatterns),
  };
}

/** The longest first, so that of two that begin together the longer one is taken. */
function alternation(patterns: readonly string[]): RegExp {
  const sorted = [...patterns].sort((one, other) => other.length - one.length);
  return new RegExp(sorted.map((pattern) => pattern.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/** Bytes go through as Latin-1, one character each. */
function createRedactingStream(found: RegExp, patterns: readonly string[]): RedactingStream {
  const longest = Math.max(...patterns.map(({ length }) => length));
  const beginnings = new Set(patterns.map((pattern) => pattern[0]));
  let kept = '';

  /** From where on `text` may be the beginning of a value. */
  function heldFrom(text: string, from: number): number {
    for (let at = Math.max(from, text.length - longest + 1); at < text.length; at++) {
      if (!beginnings.has(text[at])) continue;
      const rest = text.slice(at);
      if (patterns.some((pattern) => pattern.length > rest.length && pattern.startsWith(rest))) return at;
    }
    return text.length;
  }

  return {
    push(chunk) {
      const text = kept + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
      let out = '';
      let done = 0;
      let held = heldFrom(text, 0);
      for (;;) {
        found.lastIndex = done;
        const match = found.exec(text);
        if (!match || match.index >= held) break;
        out += text.slice(done, match.index) + redacted;
        done = match.index + match[0].length;
        if (done > held) held = heldFrom(text, done);
      }
      kept = text.slice(held);
      return Buffer.from(out + text.slice(done, held), 'latin1');
    },
    end() {
      const rest = Buffer.from(kept.replaceAll(found, redacted), 'latin1');
      kept = '';
      return rest;
    },
  };
}
