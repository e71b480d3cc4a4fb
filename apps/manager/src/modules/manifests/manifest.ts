import { createHash } from 'node:crypto';
import {
  canonicalJson,
  type ManifestBody,
  type ManifestChanges,
  type ManifestSummary,
  type ManifestTool,
} from '@authsec/manager-client/contract';
import { compileRequirement, PolicyError } from '@authsec/rbac-core';
import { AppError } from '../../errors/app-error.js';

/** A manifest as it is listed: without its tools. */
export interface ListedManifest {
  readonly digest: string;
  readonly clientId: string;
  readonly sequence: bigint;
  readonly current: boolean;
  readonly toolCount: number;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly previousDigest: string | null;
  readonly changes: ManifestChanges | null;
}

/** The name of a manifest: SHA-256 of its canonical JSON (RFC 8785), base64url. */
export function digestOf({ tools }: ManifestBody): string {
  return createHash('sha256').update(canonicalJson({ tools }), 'utf8').digest('base64url');
}

/** AppError 'invalid_requirement' or 'ambiguous_requirement' for a tool whose requirement could not be decided. */
export function assertDecidable(tools: readonly ManifestTool[]): void {
  for (const { name, requirement } of tools) {
    try {
      if (requirement !== null) compileRequirement(requirement);
    } catch (cause) {
      if (!(cause instanceof PolicyError)) throw cause;
      throw new AppError(cause.code, `tool ${JSON.stringify(name)}: ${cause.message}`, { cause });
    }
  }
}

/** How one manifest differs from an earlier one, by tool name. */
export function compareTools(before: readonly ManifestTool[], after: readonly ManifestTool[]): ManifestChanges {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const names = new Set(after.map((tool) => tool.name));
  const changed = (differs: (was: ManifestTool, is: ManifestTool) => boolean) =>
    after.filter((tool) => differs(old.get(tool.name) ?? tool, tool)).map((tool) => tool.name);
  return {
    added: after.filter((tool) => !old.has(tool.name)).map((tool) => tool.name),
    removed: before.filter((tool) => !names.has(tool.name)).map((tool) => tool.name),
    description_changed: changed((was, is) => was.description_digest !== is.description_digest),
    schema_changed: changed(
      (was, is) =>
        was.input_schema_digest !== is.input_schema_digest || was.output_schema_digest !== is.output_schema_digest,
    ),
    // `public` needs no comparison of its own: a public tool has no requirement, every other one has.
    requirement_changed: changed((was, is) => canonicalJson(was.requirement) !== canonicalJson(is.requirement)),
  };
}

export function toSummary(manifest: ListedManifest): ManifestSummary {
  return {
    digest: manifest.digest,
    client_id: manifest.clientId,
    sequence: manifest.sequence.toString(),
    current: manifest.current,
    tool_count: manifest.toolCount,
    created_at: manifest.createdAt.toISOString(),
    last_used_at: manifest.lastUsedAt.toISOString(),
    previous_digest: manifest.previousDigest,
    changes: manifest.changes,
  };
}
