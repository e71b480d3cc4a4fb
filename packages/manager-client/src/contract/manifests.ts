import { z } from 'zod';
import { requirementSchema } from './decisions.js';
import { digestSchema } from './digest.js';
import { nameSchema, sidSchema, timestampSchema } from './names.js';
import { route } from './route.js';

/** A tool as its server declares it; digests are taken of canonical JSON (RFC 8785). */
export const manifestToolSchema = z
  .strictObject({
    name: nameSchema,
    /** Of what a model is told: `{ annotations, description, title }`, without what is not there. */
    description_digest: digestSchema,
    input_schema_digest: digestSchema,
    output_schema_digest: digestSchema.nullable(),
    public: z.boolean(),
    /** Null exactly where it is public. */
    requirement: requirementSchema.nullable(),
  })
  .refine((tool) => tool.public === (tool.requirement === null), 'is public, or has a requirement');
export type ManifestTool = z.infer<typeof manifestToolSchema>;

export const maxManifestTools = 1_000;

export const manifestBodySchema = z.strictObject({
  /** By name, in the order of code units; each name once. */
  tools: z
    .array(manifestToolSchema)
    .max(maxManifestTools)
    .refine(isSortedByName, 'must be sorted by name, each name once'),
});
export type ManifestBody = z.infer<typeof manifestBodySchema>;

function isSortedByName(tools: readonly { name: string }[]): boolean {
  return tools.every((tool, index) => index === 0 || (tools[index - 1]?.name ?? '') < tool.name);
}

const toolNames = z.array(nameSchema);

/** How one manifest differs from another, by tool name. */
export const manifestChangesSchema = z.strictObject({
  added: toolNames,
  removed: toolNames,
  description_changed: toolNames,
  schema_changed: toolNames,
  requirement_changed: toolNames,
});
export type ManifestChanges = z.infer<typeof manifestChangesSchema>;

export const manifestSummarySchema = z.strictObject({
  digest: digestSchema,
  client_id: z.string(),
  /** Of all of the application's, the highest is current. */
  sequence: z.string().regex(/^\d{1,20}$/),
  current: z.boolean(),
  tool_count: z.number().int().min(0),
  created_at: timestampSchema,
  last_used_at: timestampSchema,
  /** What was current when it was first published, and how it differs from that; null for the first. */
  previous_digest: digestSchema.nullable(),
  changes: manifestChangesSchema.nullable(),
});
export type ManifestSummary = z.infer<typeof manifestSummarySchema>;

export const manifestSchema = manifestSummarySchema.extend({ tools: z.array(manifestToolSchema) });
export type ManifestView = z.infer<typeof manifestSchema>;

export const sessionToolsSchema = z.strictObject({
  sid: sidSchema,
  sub: z.string(),
  policy_version: z.string().regex(/^\d{1,20}$/),
  /** Which manifest answers: the session's own, or for one that named none the current one; null where it is not published. */
  manifest: z.strictObject({ digest: digestSchema, source: z.enum(['session', 'current']) }).nullable(),
  tools: z.array(
    z.strictObject({
      name: nameSchema,
      public: z.boolean(),
      allowed: z.boolean(),
      /** rbac-core's decision code. */
      code: z.string(),
    }),
  ),
});
export type SessionTools = z.infer<typeof sessionToolsSchema>;

const digestParams = z.strictObject({ digest: digestSchema });
/** Whose manifests; the calling application's where it is absent. */
const clientId = z.string().min(1).max(200).optional();
const readers = { owner: true, permission: 'authsec:manifests:read' } as const;

export const manifestRoutes = {
  /**
   * Publishes the calling application's tools under their digest (of `{ tools }`); only for a client that proves who it
   * is. 201 where it is new, and then current. One that is known stays where it was, unless `make_current` says so.
   */
  publish: route({
    method: 'PUT',
    path: '/v1/manifests/:digest',
    params: digestParams,
    query: z.strictObject({ make_current: z.literal('true').optional() }),
    body: manifestBodySchema,
    maxBodyBytes: 512 * 1024,
    response: manifestSummarySchema,
    status: 200,
    createdStatus: 201,
    errors: ['conflict', 'ambiguous_requirement', 'invalid_requirement'],
    access: { owner: true },
  }),
  /** The newest first; `digest` asks for one. */
  list: route({
    method: 'GET',
    path: '/v1/manifests',
    query: z.strictObject({
      client_id: clientId,
      digest: digestSchema.optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z.strictObject({ manifests: z.array(manifestSummarySchema) }),
    status: 200,
    errors: [],
    access: readers,
  }),
  get: route({
    method: 'GET',
    path: '/v1/manifests/:digest',
    params: digestParams,
    query: z.strictObject({ client_id: clientId }),
    response: manifestSchema,
    status: 200,
    errors: ['not_found'],
    access: readers,
  }),
  /** How it differs from another one of the same application. */
  changes: route({
    method: 'GET',
    path: '/v1/manifests/:digest/changes',
    params: digestParams,
    query: z.strictObject({ since: digestSchema, client_id: clientId }),
    response: manifestChangesSchema,
    status: 200,
    errors: ['not_found'],
    access: readers,
  }),
  /** What the person of a session may use of the tools of the server that holds it, and why not. */
  sessionTools: route({
    method: 'GET',
    path: '/v1/sessions/:sid/tools',
    params: z.strictObject({ sid: sidSchema }),
    response: sessionToolsSchema,
    status: 200,
    errors: ['not_found', 'session_ended'],
    access: { owner: true, permission: 'authsec:sessions:read' },
  }),
};
