import type { UserInfo } from '../session/caller-session.js';

/** A schema that says what it makes: of zod (3.24 or later), or of any library of the Standard Schema interface. */
export interface TypedSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** A zod raw shape: a schema for each argument. */
export interface SchemaShape {
  readonly [argument: string]: TypedSchema;
}

/** A JSON Schema of an object; arguments are validated by it, and not typed. */
export interface JsonObjectSchema {
  readonly type: 'object';
  readonly [keyword: string]: unknown;
}

/** What a tool takes. Without one it takes anything, untyped. */
export type ToolInput = TypedSchema | JsonObjectSchema | SchemaShape;

type Untyped = { readonly [argument: string]: unknown };

type OutputOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : unknown;

/** As zod does: by what zod 4 says of the schema, by the type with zod 3. */
type MayBeAbsent<Schema> = Schema extends { readonly _zod: unknown }
  ? Schema extends { readonly _zod: { readonly optout: 'optional' } }
    ? true
    : false
  : undefined extends OutputOf<Schema>
    ? true
    : false;

type Flat<Shape> = { [Name in keyof Shape]: Shape[Name] } & {};

type OutputOfShape<Shape> = Flat<
  { -readonly [Name in keyof Shape as MayBeAbsent<Shape[Name]> extends true ? never : Name]: OutputOf<Shape[Name]> } & {
    -readonly [Name in keyof Shape as MayBeAbsent<Shape[Name]> extends true ? Name : never]?: OutputOf<Shape[Name]>;
  }
>;

type DeclaredArguments<Input> = [Input] extends [undefined]
  ? Untyped
  : Input extends TypedSchema
    ? OutputOf<Input>
    : Input extends JsonObjectSchema
      ? Untyped
      : OutputOfShape<Input>;

/** The arguments of a protected tool: what its schema makes of them, and who is calling. */
export type ProtectedArguments<Input> = Flat<DeclaredArguments<Input> & { readonly _user_info: UserInfo }>;

/** The arguments of a public tool, with the person where one is signed in. */
export type PublicArguments<Input> = Flat<DeclaredArguments<Input> & { readonly _user_info?: UserInfo }>;
