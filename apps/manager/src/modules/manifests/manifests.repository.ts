import type { ManifestChanges, ManifestTool } from '@authsec/manager-client/contract';
import { Prisma } from '@authsec/prisma/tenant';
import type { ListedManifest } from './manifest.js';

type Transaction = Pick<Prisma.TransactionClient, 'toolManifest' | '$executeRaw' | '$queryRaw'>;

export interface ManifestFilter {
  /** Undefined: any application's. */
  readonly applicationId: string | undefined;
  readonly clientId: string | undefined;
  readonly digest: string | undefined;
  readonly limit: number;
}

/** The newest first. */
export function listManifests(db: Transaction, filter: ManifestFilter): Promise<ListedManifest[]> {
  const { applicationId, clientId, digest, limit } = filter;
  const where = Prisma.join(
    [
      Prisma.sql`true`,
      ...(applicationId === undefined ? [] : [Prisma.sql`m.application_id = ${applicationId}::uuid`]),
      ...(clientId === undefined ? [] : [Prisma.sql`a.client_id = ${clientId}`]),
      ...(digest === undefined ? [] : [Prisma.sql`m.digest = ${digest}`]),
    ],
    ' AND ',
  );
  return db.$queryRaw<ListedManifest[]>`
    SELECT m.digest, a.client_id AS "clientId", m.sequence, jsonb_array_length(m.tools) AS "toolCount",
           m.sequence = (SELECT max(c.sequence) FROM tool_manifests c WHERE c.application_id = m.application_id) AS current,
           m.created_at AS "createdAt", m.last_used_at AS "lastUsedAt", m.previous_digest AS "previousDigest", m.changes
      FROM tool_manifests m JOIN applications a ON a.id = m.application_id
     WHERE ${where} ORDER BY m.created_at DESC, m.sequence DESC LIMIT ${limit}`;
}

export async function findTools(
  db: Transaction,
  applicationId: string,
  digest: string,
): Promise<ManifestTool[] | undefined> {
  const key = { applicationId_digest: { applicationId, digest } };
  const row = await db.toolManifest.findUnique({ where: key, select: { tools: true } });
  return row ? (row.tools as unknown as ManifestTool[]) : undefined;
}

export async function findToolsOf(
  db: Transaction,
  clientId: string,
  digest: string,
): Promise<ManifestTool[] | undefined> {
  const row = await db.toolManifest.findFirst({
    where: { digest, application: { clientId } },
    select: { tools: true },
  });
  return row ? (row.tools as unknown as ManifestTool[]) : undefined;
}

export interface CurrentManifest {
  readonly digest: string;
  readonly sequence: bigint;
  readonly tools: ManifestTool[];
}

export async function findCurrent(db: Transaction, applicationId: string): Promise<CurrentManifest | undefined> {
  const row = await db.toolManifest.findFirst({ where: { applicationId }, orderBy: { sequence: 'desc' } });
  return row ? { ...row, tools: row.tools as unknown as ManifestTool[] } : undefined;
}

/** One publication of an application at a time; resolves to how it proves who it is. */
export async function lockApplication(transaction: Transaction, applicationId: string): Promise<string | undefined> {
  const [row] = await transaction.$queryRaw<{ method: string }[]>`
    SELECT token_endpoint_auth_method AS method FROM applications
     WHERE id = ${applicationId}::uuid AND status = 'active' FOR NO KEY UPDATE`;
  return row?.method;
}

export interface NewManifest {
  readonly applicationId: string;
  readonly digest: string;
  readonly sequence: bigint;
  readonly tools: readonly ManifestTool[];
  readonly previousDigest: string | null;
  readonly changes: ManifestChanges | null;
}

export async function insertManifest(transaction: Transaction, manifest: NewManifest): Promise<void> {
  const { tools, changes, ...rest } = manifest;
  await transaction.toolManifest.create({
    data: {
      ...rest,
      tools: [...tools],
      changes: changes === null ? Prisma.DbNull : (changes as unknown as Prisma.InputJsonObject),
    },
    select: { digest: true },
  });
}

export async function setSequence(
  transaction: Transaction,
  { applicationId, digest, sequence }: Pick<NewManifest, 'applicationId' | 'digest' | 'sequence'>,
): Promise<void> {
  const key = { applicationId_digest: { applicationId, digest } };
  await transaction.toolManifest.update({ where: key, data: { sequence }, select: { digest: true } });
}

/** Written once a minute at most, however many sessions say so. */
export async function noteUse(db: Transaction, applicationId: string, digests: readonly string[]): Promise<void> {
  await db.$executeRaw`
    UPDATE tool_manifests SET last_used_at = now()
     WHERE application_id = ${applicationId}::uuid AND digest = ANY(${[...digests]})
       AND last_used_at < now() - interval '1 minute'`;
}

/**
 * Removes what neither is current nor belongs to a session that lives: all that has not been used for a month, and of the
 * rest the longest unused until `keep` are left. Resolves to how many there are.
 */
export async function removeUnused(transaction: Transaction, applicationId: string, keep: number): Promise<number> {
  await transaction.$executeRaw`
    DELETE FROM tool_manifests m USING (
      SELECT digest, last_used_at < now() - interval '30 days' AS old,
             row_number() OVER (ORDER BY needed DESC, last_used_at DESC) AS place, needed
        FROM (
          SELECT digest, last_used_at,
                 sequence = max(sequence) OVER () OR EXISTS (
                   SELECT 1 FROM sessions s WHERE s.application_id = t.application_id AND s.manifest_digest = t.digest
                      AND s.ended_at IS NULL AND s.expires_at > now()
                 ) AS needed
            FROM tool_manifests t WHERE application_id = ${applicationId}::uuid
        ) judged
    ) ranked
    WHERE m.application_id = ${applicationId}::uuid AND m.digest = ranked.digest AND NOT ranked.needed
      AND (ranked.old OR ranked.place > ${keep})`;
  return transaction.toolManifest.count({ where: { applicationId } });
}
