import type { Decision, Reason } from './decision.js';

const maxListed = 10;

export interface ExplainOptions {
  /** Who was judged. */
  readonly subject?: string;
  /** What they wanted to use, such as a tool's name. */
  readonly target?: string;
}

/** One or two sentences for the author's log, on one line; never for the caller, to whom a hidden tool does not exist. */
export function explain(decision: Decision, options: ExplainOptions = {}): string {
  const to = options.subject === undefined ? '' : ` to ${quote(options.subject)}`;
  const target = options.target === undefined ? '' : `${quote(options.target)} is `;
  const verdict = `${target}${decision.allowed ? 'allowed' : 'denied'}${to}`;
  const opening = verdict.charAt(0).toUpperCase() + verdict.slice(1);
  if (decision.allowed) return `${opening}.`;
  return `${opening} (${decision.code}). ${explainReasons(decision).join(' ')}`;
}

/** One sentence for each reason; none when allowed. */
export function explainReasons(decision: Decision): string[] {
  return decision.reasons.map((reason) => `Missing: ${describe(reason)}.`);
}

function describe(reason: Reason): string {
  if (reason.code === 'requirement_not_met') {
    return listed(reason.alternatives, (reasons) => describeAll(reasons), ' or ');
  }
  const { kind, names } = reason;
  if (names.length === 1) return `the ${kind} ${quote(names[0] as string)}`;
  return `one of the ${kind}s ${listed(names, quote, ', ')}`;
}

function describeAll(reasons: readonly Reason[]): string {
  const all = listed(reasons, describe, ' and ');
  return reasons.length === 1 ? all : `(${all})`;
}

function listed<Item>(items: readonly Item[], describeItem: (item: Item) => string, separator: string): string {
  const first = items.slice(0, maxListed).map(describeItem);
  if (items.length > maxListed) first.push(`${items.length - maxListed} more`);
  return first.join(separator);
}

/** Names are data: what could break a log line, or reorder it on a screen, is written as its code point. */
function quote(name: string): string {
  const escaped = name.replace(
    /["\\\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `"${escaped.length > 128 ? `${escaped.slice(0, 128)}…` : escaped}"`;
}
