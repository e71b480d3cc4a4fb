import { encodingsOf } from './encodings.js';
import { createValueFinder, type ValueFinder } from './value-finder.js';

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

/** `secrets` are taken out in every encoding. Undefined where nothing is to be taken out. */
export function createRedactor(secrets: readonly string[]): Redactor | undefined {
  const patterns = [...new Set(secrets.flatMap(encodingsOf))];
  if (patterns.length === 0) return undefined;
  // Headers come as Latin-1, whatever was meant; a body may be Latin-1, whatever it was to be.
  const values = createValueFinder([
    ...patterns,
    ...patterns.map((pattern) => Buffer.from(pattern).toString('latin1')),
  ]);
  return {
    text: (text) => takeOut(text, values),
    stream: () => createRedactingStream(values),
  };
}

function takeOut(text: string, values: ValueFinder): string {
  let out = '';
  let done = 0;
  for (let found = values.find(text, 0); found; found = values.find(text, done)) {
    out += text.slice(done, found.index) + redacted;
    done = found.end;
  }
  return done === 0 ? text : out + text.slice(done);
}

/** Bytes go through as Latin-1, one character each. */
function createRedactingStream(values: ValueFinder): RedactingStream {
  let kept = '';

  /** From where on `text` may be the beginning of a value. */
  function heldFrom(text: string, from: number): number {
    for (let at = Math.max(from, text.length - values.longest + 1); at < text.length; at++) {
      if (values.mayBegin(text, at)) return at;
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
        const found = values.find(text, done);
        if (!found || found.index >= held) break;
        out += text.slice(done, found.index) + redacted;
        done = found.end;
        if (done > held) held = heldFrom(text, done);
      }
      kept = text.slice(held);
      return Buffer.from(out + text.slice(done, held), 'latin1');
    },
    end() {
      const rest = Buffer.from(takeOut(kept, values), 'latin1');
      kept = '';
      return rest;
    },
  };
}
