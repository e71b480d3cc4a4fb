/** Arguments that speak for AuthSec: never taken from outside, and never declared by a tool. */
export function isReservedArgument(name: string): boolean {
  return name === '_user_info' || name.startsWith('_authsec');
}

/** Tool names that belong to the login tools, in any case. */
export function isReservedToolName(name: string): boolean {
  return /^oauth_/i.test(name);
}

/** Also `__proto__`, by which a copy on the way could inherit them. The same object where there is nothing to drop. */
export function dropReservedArguments(args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.keys(args).some(isDropped)
    ? Object.fromEntries(Object.entries(args).filter(([name]) => !isDropped(name)))
    : args;
}

function isDropped(name: string): boolean {
  return name === '__proto__' || isReservedArgument(name);
}

/** Names that a zod schema (3 or 4, also inside unions, pipes and the like) or raw shape declares at its top and that are reserved. */
export function reservedArgumentsOf(schema: unknown): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<object>();
  visit(schema);
  return [...found];

  function visit(value: unknown): void {
    if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > 1_000) return;
    seen.add(value);
    const definition = definitionOf(value);
    if (definition === undefined) return note(value);
    note(shapeOf(value, definition));
    for (const part of ['in', 'out', 'innerType', 'schema', 'left', 'right']) visit(definition[part]);
    const options = definition['options'];
    if (Array.isArray(options) || options instanceof Map) for (const option of options.values()) visit(option);
    const { getter } = definition;
    if (definition['type'] === 'lazy' && typeof getter === 'function') visit((getter as () => unknown)());
  }

  function note(shape: unknown): void {
    if (typeof shape !== 'object' || shape === null) return;
    for (const name of Object.keys(shape)) if (isReservedArgument(name)) found.add(name);
  }
}

type Definition = Readonly<Record<string, unknown>>;

function definitionOf(schema: object): Definition | undefined {
  const { _zod: zod4, _def: zod3 } = schema as { _zod?: { def?: Definition }; _def?: Definition };
  return zod4?.def ?? zod3;
}

function shapeOf(schema: object, definition: Definition): unknown {
  const shape = (schema as { shape?: unknown }).shape ?? definition['shape'];
  return typeof shape === 'function' ? (shape as () => unknown)() : shape;
}
