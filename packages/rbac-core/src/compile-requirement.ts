import type { Denied } from './decision.js';
import { isConcrete } from './covers.js';
import { type Permission, parsePermission } from './permission.js';
import { PolicyError } from './policy-error.js';
import type { RequiredRights } from './principal.js';
import type { Requirement, RequirementExpression, UncheckedRequirement } from './requirement.js';
import { type RightKind, listNames, rightKinds } from './right-kind.js';

const maxDepth = 32;
const maxNodes = 10_000;

export type CompiledExpression =
  | { readonly op: 'always' }
  | { readonly op: 'rights'; readonly rights: RequiredRights; readonly denied: Denied }
  | { readonly op: 'allOf' | 'anyOf'; readonly parts: readonly CompiledExpression[] };

/** A requirement that was checked and prepared; made by `compileRequirement`. */
export class CompiledRequirement {
  /** The requirement as JSON: a frozen copy. */
  readonly source: Requirement;
  /** @internal */
  readonly expression: CompiledExpression;

  /** @internal */
  constructor(source: Requirement, expression: CompiledExpression) {
    this.source = source;
    this.expression = expression;
    Object.freeze(this);
  }

  toJSON(): Requirement {
    return this.source;
  }
}

/**
 * Checks and prepares a requirement once for any number of decisions. Throws a PolicyError: `ambiguous_requirement` for
 * two or more lists without `requireAll`, `invalid_requirement` with its path for whatever else is not one.
 */
export function compileRequirement(requirement: Requirement | UncheckedRequirement): CompiledRequirement {
  const record = readRecord(requirement, '');
  const budget = { nodes: 0 };
  const isExpression = [...record.keys()].some((key) => key === 'allOf' || key === 'anyOf' || isRightKind(key));
  const { source, expression } = isExpression ? readExpression(record, '', 1, budget) : readLists(record, budget);
  return new CompiledRequirement(source, expression);
}

interface Budget {
  nodes: number;
}
interface Read<Source> {
  readonly source: Source;
  readonly expression: CompiledExpression;
}

function readLists(record: ReadonlyMap<string, unknown>, budget: Budget): Read<Requirement> {
  const known = new Set<string>([...Object.values(listNames), 'requireAll']);
  for (const key of record.keys()) if (!known.has(key)) throw invalid(`unknown key ${quote(key)}`, join('', key));
  const requireAll = record.get('requireAll');
  if (requireAll !== undefined && typeof requireAll !== 'boolean') throw invalid('must be true or false', 'requireAll');

  const source: Record<string, readonly string[] | boolean> = {};
  const parts: CompiledExpression[] = [];
  for (const kind of rightKinds) {
    const listName = listNames[kind];
    if (!record.has(listName)) continue;
    const names = readArray(record.get(listName), listName).map((name, i) => {
      spend(budget, `${listName}[${i}]`);
      return readName(name, kind, `${listName}[${i}]`);
    });
    source[listName] = Object.freeze(names);
    parts.push(requireRights(kind, names));
  }
  if (requireAll !== undefined) source['requireAll'] = requireAll;
  if (parts.length > 1 && requireAll === undefined) {
    throw new PolicyError(
      'ambiguous_requirement',
      `${Object.keys(source).join(', ')}: say requireAll: true (all of the lists) or requireAll: false (any of them)`,
    );
  }
  const expression = parts.length === 0 ? { op: 'always' as const } : combine(requireAll ? 'allOf' : 'anyOf', parts);
  return { source: Object.freeze(source) as Requirement, expression };
}

function readExpression(
  record: ReadonlyMap<string, unknown>,
  path: string,
  depth: number,
  budget: Budget,
): Read<RequirementExpression> {
  spend(budget, path);
  if (depth > maxDepth) throw invalid(`nested more than ${maxDepth} deep`, path);
  const [entry, another] = record;
  if (entry === undefined) throw invalid('an expression must have one key', path);
  if (another !== undefined) {
    throw invalid(`an expression must have one key, not ${quote(entry[0])} and ${quote(another[0])}`, path);
  }
  const [key, value] = entry;
  const keyPath = join(path, key);
  if (isRightKind(key)) {
    const name = readName(value, key, keyPath);
    return {
      source: Object.freeze({ [key]: name }) as unknown as RequirementExpression,
      expression: requireRights(key, [name]),
    };
  }
  if (key !== 'allOf' && key !== 'anyOf') throw invalid(`unknown key ${quote(key)}`, keyPath);
  const parts = readArray(value, keyPath).map((part, i) => {
    const partPath = `${keyPath}[${i}]`;
    return readExpression(readRecord(part, partPath), partPath, depth + 1, budget);
  });
  const sources = Object.freeze(parts.map((part) => part.source));
  const expression = combine(
    key,
    parts.map((part) => part.expression),
  );
  return { source: Object.freeze({ [key]: sources }) as unknown as RequirementExpression, expression };
}

/** Merges what is nested in its own kind, and the alternatives of one kind of right into one look-up. */
function combine(op: 'allOf' | 'anyOf', parts: readonly CompiledExpression[]): CompiledExpression {
  let merged = parts.flatMap((part) => (part.op === op ? part.parts : [part]));
  if (op === 'anyOf') {
    const names = new Map<RightKind, string[]>();
    const others: CompiledExpression[] = [];
    for (const part of merged) {
      if (part.op !== 'rights') {
        others.push(part);
        continue;
      }
      const list = names.get(part.rights.kind) ?? [];
      list.push(...part.rights.names);
      names.set(part.rights.kind, list);
    }
    merged = [...[...names].map(([kind, list]) => requireRights(kind, list)), ...others];
  }
  return merged.length === 1 ? (merged[0] as CompiledExpression) : { op, parts: merged };
}

function requireRights(kind: RightKind, given: readonly string[]): CompiledExpression {
  const nameSet = new Set(given);
  const names = Object.freeze([...nameSet]);
  const permissions = kind === 'permission' ? names.map((name) => parsePermission(name) as Permission) : [];
  const code = `${kind}_missing` as const;
  const reasons = Object.freeze([Object.freeze({ code, kind, names })]);
  return {
    op: 'rights',
    rights: { kind, names, nameSet, permissions },
    denied: Object.freeze({ allowed: false, code, reasons }),
  };
}

function readRecord(value: unknown, path: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || !isPlain(value)) throw invalid('must be a plain object', path);
  const record = new Map<string, unknown>();
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') throw invalid('must not have symbols for keys', path);
    record.set(key, (value as Record<string, unknown>)[key]);
  }
  return record;
}

/** A promise or a Map has no keys of its own either, and must not be taken for `{}`, which asks for nothing. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function readArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid('must be a list', path);
  if (value.length === 0) throw invalid('must not be empty', path);
  if (value.length > maxNodes) throw invalid(`more than ${maxNodes} entries`, path);
  return Array.from(value);
}

function readName(value: unknown, kind: RightKind, path: string): string {
  if (typeof value !== 'string' || value === '') throw invalid('must be a name', path);
  if (kind === 'permission') {
    const permission = parsePermission(value);
    if (permission === undefined) throw invalid('must be resource:action', path);
    if (!isConcrete(permission)) throw invalid('must not have *, which only a grant may have', path);
  }
  return value;
}

function spend(budget: Budget, path: string): void {
  budget.nodes += 1;
  if (budget.nodes > maxNodes) throw invalid(`more than ${maxNodes} nodes`, path);
}

function isRightKind(key: string): key is RightKind {
  return (rightKinds as readonly string[]).includes(key);
}

function invalid(problem: string, path: string): PolicyError {
  return new PolicyError('invalid_requirement', `${path === '' ? 'a requirement' : path}: ${problem}`, path);
}

function join(path: string, key: string): string {
  const step = /^[A-Za-z]{1,32}$/.test(key) ? key : `[${quote(key)}]`;
  return path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
