/** A text argument of a login tool. */
export interface TextArgument {
  readonly required?: boolean;
  readonly description: string;
  readonly maxLength: number;
}

export class ArgumentError extends Error {}

export type TextArguments<T extends Readonly<Record<string, TextArgument>>> = { readonly [K in keyof T]?: string };

/** Reads text arguments. Throws ArgumentError naming the field: unknown, missing, not text, empty, too long, control characters. */
export function readArguments<T extends Readonly<Record<string, TextArgument>>>(
  args: Readonly<Record<string, unknown>>,
  expected: T,
): TextArguments<T> {
  const unknown = Object.keys(args).find((name) => !Object.hasOwn(expected, name));
  if (unknown !== undefined) throw new ArgumentError(`${JSON.stringify(unknown.slice(0, 64))}: no such argument`);
  const read: Record<string, string> = {};
  for (const [name, { required, maxLength }] of Object.entries(expected)) {
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    if (value === undefined) {
      if (required) throw new ArgumentError(`${name}: is required`);
      continue;
    }
    if (typeof value !== 'string') throw new ArgumentError(`${name}: must be a string`);
    const text = value.trim();
    if (text === '') throw new ArgumentError(`${name}: must not be empty`);
    if (text.length > maxLength) throw new ArgumentError(`${name}: must not be longer than ${maxLength} characters`);
    if (!/^[\u0021-\u007e]+$/.test(text)) throw new ArgumentError(`${name}: has characters that cannot belong to it`);
    read[name] = text;
  }
  return read;
}

/** The same as JSON Schema. */
export function inputSchema(expected: Readonly<Record<string, TextArgument>>) {
  const entries = Object.entries(expected);
  return {
    type: 'object' as const,
    properties: Object.fromEntries(
      entries.map(([name, { description, maxLength }]) => [
        name,
        { type: 'string', description, minLength: 1, maxLength },
      ]),
    ),
    required: entries.filter(([, argument]) => argument.required).map(([name]) => name),
    additionalProperties: false,
  };
}

/** The optional `session_id` of the tools that act on the login of this MCP session anyway. */
export const ownSessionId = {
  session_id: {
    maxLength: 128,
    description: 'Optional; must be the session_id of the login in this MCP session.',
  },
} as const satisfies Record<string, TextArgument>;
