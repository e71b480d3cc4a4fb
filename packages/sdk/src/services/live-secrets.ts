import { types } from 'node:util';
import { createRedactor, type Redactor } from './redactor.js';

export interface HeldSecret {
  readonly redactor: Redactor;
  /** Once; asked again it does nothing. */
  readonly release: () => void;
}

// Of the process: what one call has must not go out by the answer of another.
const live = new Map<string, Live>();
let inOrder: readonly Live[] = [];

interface Live {
  readonly redactor: Redactor;
  readonly longest: number;
  holders: number;
}

/**
 * From now on, until it is released, nothing that leaves the process through AuthSec holds these values. Undefined where
 * none of them is long enough to be told from other text.
 */
export function holdSecret(values: readonly string[]): HeldSecret | undefined {
  const key = JSON.stringify(values);
  const known = live.get(key);
  const redactor = known?.redactor ?? createRedactor(values);
  if (!redactor) return undefined;
  const entry = known ?? { redactor, longest: Math.max(...values.map(({ length }) => length)), holders: 0 };
  entry.holders++;
  live.set(key, entry);
  if (!known) sortLive();
  let isHeld = true;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    entry.holders--;
    if (entry.holders > 0) return;
    live.delete(key);
    sortLive();
  };
  return { redactor, release };
}

function sortLive(): void {
  inOrder = [...live.values()].sort((one, other) => other.longest - one.longest);
}

/** The value without any secret that a call of this process has now; the same value where there is none. */
export function withoutSecrets<Value>(value: Value): Value {
  return live.size === 0 ? value : (redact(value, new Set()) as Value);
}

/** As JSON writes it, which asks objects of classes what they have to say. */
function redact(value: unknown, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (types.isBoxedPrimitive(value)) return redact(value.valueOf(), above);
  if (above.has(value)) return '[circular]';
  above.add(value);
  const said = saidOf(value);
  const copy = said === value ? copyOf(value, above) : redact(said, above);
  above.delete(value);
  return copy;
}

function saidOf(value: object): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON as (key: string) => unknown).call(value, '') : value;
}

function copyOf(value: object, above: Set<object>): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, above));
  const entries = Object.entries(value).filter(([key, item]) => key !== 'toJSON' || typeof item !== 'function');
  // fromEntries defines, it does not assign: a name such as `__proto__` stays a key.
  return Object.fromEntries(entries.map(([key, item]) => [redactText(key), redact(item, above)]));
}

/** Of two secrets where one is in the other, the longer one first: else its rest stayed. */
function redactText(text: string): string {
  let left = text;
  for (const { redactor } of inOrder) left = redactor.text(left);
  return left;
}
