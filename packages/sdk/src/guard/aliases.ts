import { randomBytes } from 'node:crypto';
import { isPlainObject } from './json-rpc.js';

/** A fresh random name that went to the server in the place of one that this caller may not see. */
export interface Alias {
  readonly alias: string;
  readonly original: string;
}

/** 128 random bits: nobody can say it first, so putting the original back touches nothing else. */
export function createAlias(original: string): Alias {
  return { alias: `a${randomBytes(16).toString('hex')}`, original };
}

/** Puts the originals back in all strings and keys of parsed JSON; returns the same value where nothing was to be done. */
export function restoreAliases<Value>(value: Value, aliases: readonly Alias[]): Value {
  return aliases.length === 0 ? value : (restore(value, aliases) as Value);
}

function restore(value: unknown, aliases: readonly Alias[]): unknown {
  if (typeof value === 'string') return restoreText(value, aliases);
  if (Array.isArray(value)) return value.map((item) => restore(item, aliases));
  if (!isPlainObject(value)) return value;
  // fromEntries defines, it does not assign: a name such as `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [restoreText(key, aliases), restore(item, aliases)]),
  );
}

function restoreText(text: string, aliases: readonly Alias[]): string {
  let restored = text;
  for (const { alias, original } of aliases) {
    if (restored.includes(alias)) restored = restored.split(alias).join(original);
  }
  return restored;
}
