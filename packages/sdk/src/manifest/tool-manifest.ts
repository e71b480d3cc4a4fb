import { createHash } from 'node:crypto';
import {
  canonicalJson,
  type ManifestBody,
  type ManifestTool,
  maxManifestTools,
  nameSchema,
} from '@authsec/manager-client';
import { isObject, type JsonObject } from '../guard/json-rpc.js';
import { isReservedToolName } from '../guard/reserved-names.js';
import type { ToolRegistry } from '../tool-registry.js';

/** The tools of a server with who may use them, and the digest under which the Manager knows them. */
export interface ToolManifest {
  readonly digest: string;
  readonly body: ManifestBody;
}

/** Of definitions as `tools/list` gives them. Undefined where there are more tools than a manifest can have. */
export function createToolManifest(definitions: readonly unknown[], registry: ToolRegistry): ToolManifest | undefined {
  const tools = new Map<string, ManifestTool>();
  for (const definition of definitions) {
    const name = isObject(definition) ? definition['name'] : undefined;
    if (!isObject(definition) || typeof name !== 'string' || tools.has(name)) continue;
    if (isReservedToolName(name) || !nameSchema.safeParse(name).success || /\p{Cs}/u.test(name)) continue;
    tools.set(name, toTool(name, definition, registry));
  }
  if (tools.size > maxManifestTools) return undefined;
  const body = { tools: [...tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1)) };
  return { digest: digestOf(body), body };
}

function toTool(name: string, definition: JsonObject, registry: ToolRegistry): ManifestTool {
  const { title, description, annotations, inputSchema, outputSchema } = definition;
  const rule = registry.ruleOf(name);
  return {
    name,
    description_digest: digestOf({ annotations, description, title }),
    input_schema_digest: digestOf(inputSchema ?? {}),
    output_schema_digest: outputSchema === undefined ? null : digestOf(outputSchema),
    public: rule.public,
    requirement: rule.public ? null : (toJson(rule.requirement.source) as ManifestTool['requirement']),
  };
}

/** SHA-256 of the canonical JSON (RFC 8785) of what the value is on the wire, base64url. */
function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(toJson(value)), 'utf8')
    .digest('base64url');
}

/** As it goes over the wire, without what JSON does not have; lone surrogates as UTF-8 has them. */
function toJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' ? part.replaceAll(/\p{Cs}/gu, '\ufffd') : part,
  );
}
