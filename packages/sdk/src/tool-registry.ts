import { type CompiledRequirement, PolicyError, type Requirement, compileRequirement } from '@authsec/rbac-core';
import { AuthSecError } from './authsec-error.js';
import { isObject } from './guard/json-rpc.js';
import { isReservedToolName } from './guard/reserved-names.js';

/** Anyone may list and call it, also before login; said, never a default. */
export type PublicTool = { readonly public: true } & {
  readonly [Key in Requirement extends infer Each ? (Each extends Each ? keyof Each : never) : never]?: never;
};

/** Who may see and call a tool: a requirement (`{}` is any signed-in person), or `{ public: true }`. */
export type ToolRule = PublicTool | (Requirement & { readonly public?: never });

/** By tool name. A tool without an entry needs a signed-in person. */
export type ToolRules = Readonly<Record<string, ToolRule>>;

export type CompiledRule =
  { readonly public: true } | { readonly public: false; readonly requirement: CompiledRequirement };

/** The declared requirements, compiled once. */
export interface ToolRegistry {
  ruleOf(name: string): CompiledRule;
  hasEntry(name: string): boolean;
  /** Throws `unknown_tool` for an entry that no tool has, unless it was announced in `lateTools`. */
  assertAllRegistered(registered: ReadonlySet<string>): void;
  /** Throws for a tool that must not be registered under this name: `reserved_tool_name`, or `unknown_tool` while announced ones are missing. */
  assertMayRegister(name: string, connected: boolean): void;
}

const anySignedIn: CompiledRule = { public: false, requirement: compileRequirement({}) };

/** Throws AuthSecError (`ambiguous_requirement`, `invalid_requirement`, `reserved_tool_name`, `unknown_tool`) or a TypeError naming the option. */
export function createToolRegistry(options: {
  readonly tools: ToolRules;
  readonly lateTools: readonly string[];
}): ToolRegistry {
  const rules = compileRules(options.tools);
  const awaited = new Set<string>();
  for (const name of options.lateTools) {
    if (!rules.has(name)) {
      throw new AuthSecError(
        'unknown_tool',
        `lateTools: ${quote(name)} has no entry in tools${hint(name, rules.keys())}`,
      );
    }
    awaited.add(name);
  }

  return {
    ruleOf: (name) => rules.get(name) ?? anySignedIn,
    hasEntry: (name) => rules.has(name),
    assertAllRegistered(registered) {
      for (const name of registered) awaited.delete(name);
      for (const name of rules.keys()) {
        if (registered.has(name) || awaited.has(name)) continue;
        throw new AuthSecError(
          'unknown_tool',
          `tools: no tool ${quote(name)} is registered${hint(name, registered)}; ` +
            'if it is registered after connect, name it in lateTools',
        );
      }
    },
    assertMayRegister(name, connected) {
      if (isReservedToolName(name)) {
        throw new AuthSecError('reserved_tool_name', `the tool name ${quote(name)} belongs to the login tools`);
      }
      awaited.delete(name);
      if (!rules.has(name) && connected && awaited.size > 0) {
        throw new AuthSecError(
          'unknown_tool',
          `${quote(name)} is registered late without an entry in tools, while lateTools still awaits ` +
            [...awaited].map(quote).join(', '),
        );
      }
    },
  };
}

function compileRules(tools: ToolRules): ReadonlyMap<string, CompiledRule> {
  const prototype: unknown = isObject(tools) ? Object.getPrototypeOf(tools) : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('tools must be a plain object: { [tool name]: requirement }');
  }
  const rules = new Map<string, CompiledRule>();
  for (const [name, rule] of Object.entries(tools)) {
    if (isReservedToolName(name)) {
      throw new AuthSecError('reserved_tool_name', `tools: ${quote(name)} belongs to the login tools`);
    }
    rules.set(name, compileRule(name, rule));
  }
  return rules;
}

function compileRule(name: string, rule: ToolRule): CompiledRule {
  if (!isObject(rule)) throw new TypeError(`tools[${quote(name)}] must be a requirement or { public: true }`);
  if (Object.hasOwn(rule, 'public')) {
    if (rule.public !== true) throw new TypeError(`tools[${quote(name)}].public can only be true`);
    if (Reflect.ownKeys(rule).length > 1) {
      throw new AuthSecError('ambiguous_requirement', `tools[${quote(name)}] is public and has a requirement: say one`);
    }
    return { public: true };
  }
  try {
    return { public: false, requirement: compileRequirement(rule) };
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new AuthSecError(cause.code, `tools[${quote(name)}]: ${cause.message}`, { cause });
  }
}

function hint(name: string, known: Iterable<string>): string {
  const wanted = simplify(name);
  const near = [...known].find((other) => simplify(other) === wanted);
  const few = [...known].slice(0, 10).map(quote).join(', ');
  if (near !== undefined) return `: did you mean ${quote(near)}?`;
  return few === '' ? ' (no tool is)' : ` (known: ${few})`;
}

function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function quote(name: string): string {
  return JSON.stringify(name);
}
