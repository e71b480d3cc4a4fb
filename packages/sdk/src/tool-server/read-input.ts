import { loadMcpSdk } from '../load-mcp-sdk.js';
import { type AuthSecTool, isJsonSchema } from './define-tool.js';

export type ReadArguments =
  { readonly value: unknown; readonly problem?: never } | { readonly problem: string; readonly value?: never };

/** What a tool takes, as it is listed and as it is read. */
export interface ReadInput {
  readonly jsonSchema: { readonly type: 'object'; readonly [keyword: string]: unknown };
  read(args: Readonly<Record<string, unknown>>): ReadArguments | Promise<ReadArguments>;
}

interface StandardSchema {
  readonly '~standard': {
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
    readonly jsonSchema?: { readonly input: (options: { target: string }) => Record<string, unknown> };
  };
}

interface StandardResult {
  readonly value?: unknown;
  readonly issues?: readonly StandardIssue[] | undefined;
}

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Throws a TypeError where a schema has neither a way to be listed nor to validate. */
export async function readInputOf({ name, settings: { inputSchema } }: AuthSecTool): Promise<ReadInput> {
  if (inputSchema === undefined) return { jsonSchema: { type: 'object' }, read: (value) => ({ value }) };
  if (isJsonSchema(inputSchema)) {
    const { AjvJsonSchemaValidator } = await loadMcpSdk('validation/ajv');
    const validate = new AjvJsonSchemaValidator().getValidator(inputSchema);
    const read = (value: Readonly<Record<string, unknown>>): ReadArguments => {
      const { valid, errorMessage } = validate(value);
      return valid ? { value } : { problem: errorMessage ?? 'not what the schema says' };
    };
    return { jsonSchema: inputSchema, read };
  }
  const schema = await toStandardSchema(inputSchema);
  if (typeof schema['~standard']?.validate !== 'function') {
    throw new TypeError(`${name}: inputSchema must be of zod 3.24 or later, or another Standard Schema`);
  }
  return {
    jsonSchema: { ...(await toJsonSchema(name, schema)), type: 'object' },
    read: (value) => readBy(schema, value),
  };
}

async function toStandardSchema(input: object): Promise<StandardSchema> {
  if ('~standard' in input || isZod(input)) return input as unknown as StandardSchema;
  const { objectFromShape } = await loadMcpSdk('server/zod-compat.js');
  return objectFromShape(input as never);
}

async function toJsonSchema(name: string, schema: StandardSchema): Promise<Record<string, unknown>> {
  if (isZod(schema)) {
    const { toJsonSchemaCompat } = await loadMcpSdk('server/zod-json-schema-compat.js');
    return toJsonSchemaCompat(schema as never, { strictUnions: true, pipeStrategy: 'input' });
  }
  const { jsonSchema } = schema['~standard'];
  if (!jsonSchema) throw new TypeError(`${name}: inputSchema cannot say its JSON Schema: give a JSON Schema or zod`);
  return jsonSchema.input({ target: 'draft-2020-12' });
}

async function readBy(schema: StandardSchema, args: Readonly<Record<string, unknown>>): Promise<ReadArguments> {
  const result = await schema['~standard'].validate(args);
  return result.issues ? { problem: result.issues.map(describe).join('; ') } : { value: result.value };
}

function describe({ message, path = [] }: StandardIssue): string {
  const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return where === '' ? message : `${where}: ${message}`;
}

function isZod(schema: object): boolean {
  return '_zod' in schema || '_def' in schema;
}
