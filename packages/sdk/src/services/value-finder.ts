import { minRedactedLength } from './encodings.js';

/** Finds exact values in texts, however many there are and however long they are. */
export interface ValueFinder {
  /** The length of the longest. */
  readonly longest: number;
  /** The first one from `from` on; of those that begin there, the longest. */
  find(text: string, from: number): { readonly index: number; readonly end: number } | undefined;
  /** Whether what `text` has from `at` on is the beginning of one that is longer. */
  mayBegin(text: string, at: number): boolean;
}

/** Each value has the length of a head at least. */
const headLength = minRedactedLength;

/**
 * Only their heads make the expression: one of whole values is more than the engine takes where a value is long, and its
 * error quotes it.
 */
export function createValueFinder(values: readonly string[]): ValueFinder {
  const sorted = [...new Set(values)].sort((one, other) => other.length - one.length);
  const byHead = new Map<string, string[]>();
  const beginnings = new Set<string>();
  for (const value of sorted) {
    const head = value.slice(0, headLength);
    const known = byHead.get(head);
    if (known) known.push(value);
    else byHead.set(head, [value]);
    for (let length = 1; length < headLength; length++) beginnings.add(head.slice(0, length));
  }
  const escaped = [...byHead.keys()].map((head) => head.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  const heads = new RegExp(escaped.join('|'), 'g');

  return {
    longest: sorted[0]?.length ?? 0,
    find(text, from) {
      heads.lastIndex = from;
      for (let match = heads.exec(text); match; match = heads.exec(text)) {
        const { index } = match;
        const value = byHead.get(match[0])?.find((one) => text.startsWith(one, index));
        if (value !== undefined) return { index, end: index + value.length };
        heads.lastIndex = index + 1;
      }
      return undefined;
    },
    mayBegin(text, at) {
      const left = text.length - at;
      if (left < headLength) return beginnings.has(text.slice(at));
      const candidates = byHead.get(text.slice(at, at + headLength));
      if (!candidates) return false;
      const rest = text.slice(at);
      return candidates.some((value) => value.length > left && value.startsWith(rest));
    },
  };
}
