import { isPlainObject } from '../guard/json-rpc.js';
import { createRedactor, type Redactor } from './redactor.js';

export interface HeldSecret {
  readonly redactor: Redactor;
  /** Once; asked again it does nothing. */
  readonly release: () => void;
}

// Of the process: what one call has must not go out by the answer of another.
const live = new Map<string, { readonly redactor: Redactor; holders: number }>();

/**
 * From now on, until it is released, nothing that leaves the process through AuthSec holds these values. Undefined where
 * none of them is long enough to be told from other text.
 */
export function holdSecret(values: readonly string[]): HeldSecret | undefined {
  const key = JSON.stringify(values);
  const known = live.get(key);
  const redactor = known?.redactor ?? createRedactor(values);
  if (!redactor) return undefined;
  const entry = known ?? { redactor, holders: 0 };
  entry.holders++;
  live.set(key, entry);
  let isHeld = true;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    entry.holders--;
    if (entry.holders === 0) live.delete(key);
  };
  return { redactor, release };
}

/** The value without any secret that a call of this process has now; the same value where there is none. */
export function withoutSecrets<Value>(value: Value): Value {
  return live.size === 0 ? value : (redact(value, new Set()) as Value);
}

function redact(value: unknown, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  if (above.has(value)) return '[circular]';
  above.add(value);
  // fromEntries defines, it does not assign: a name such as `__proto__` stays a key.
  const copy = Array.isArray(value)
    ? value.map((item) => redact(item, above))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [redactText(key), redact(item, above)]));
  above.delete(value);
  return copy;
}

function redactText(text: string): string {
  let left = text;
  for (const { redactor } of live.values()) left = redactor.text(left);
  return left;
}
