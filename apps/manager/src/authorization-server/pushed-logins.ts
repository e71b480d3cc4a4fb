import { randomBytes } from 'node:crypto';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { lifetimes } from './lifetimes.js';
import { hashIdentifier } from '../db/hash-identifier.js';

/** A pushed authorization request that waits behind its link. */
export interface PushedLogin {
  readonly clientId: string;
  readonly applicationName: string;
  readonly request: KeptRequest;
  readonly createdAt: Date;
}

export interface KeptRequest {
  /** As validated when it was pushed. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The network of the MCP client, as reported; '' where it was not, or says nothing. */
  readonly bucket: string;
}

/**
 * At most so many links of one application wait (about 20 MB), which a flood without a network takes minutes to reach;
 * and so many that were asked for from one network.
 */
export const pendingPerApplication = 20_000;
export const pendingPerBucket = 50;

/** 256 random bits, of which only the hash is kept. */
export async function keepPushedLogin(
  db: TenantDatabase,
  applicationId: string,
  request: KeptRequest,
): Promise<string> {
  const id = randomBytes(32).toString('base64url');
  await db.$executeRaw`
    INSERT INTO pushed_logins (id_hash, application_id, request, expires_at)
    VALUES (${hashIdentifier(id)}, ${applicationId}::uuid, ${JSON.stringify(request)}::jsonb,
            now() + make_interval(secs => ${lifetimes.pushedLogin}::float8))`;
  return id;
}

/** Changes nothing; undefined for one that is unknown, expired, used, or of an application that is disabled. */
export async function findPushedLogin(db: TenantDatabase, id: string): Promise<PushedLogin | undefined> {
  const rows = await db.$queryRaw<PushedLogin[]>`
    SELECT a.client_id AS "clientId", a.name AS "applicationName", p.request, p.created_at AS "createdAt"
      FROM pushed_logins p JOIN applications a ON a.id = p.application_id
     WHERE p.id_hash = ${hashIdentifier(id)} AND p.used_at IS NULL AND p.expires_at > now() AND a.status = 'active'`;
  return rows[0];
}

/** Uses it up: of any number at the same moment exactly one gets it. */
export async function takePushedLogin(db: TenantDatabase, id: string): Promise<PushedLogin | undefined> {
  const rows = await db.$queryRaw<PushedLogin[]>`
    UPDATE pushed_logins p SET used_at = now() FROM applications a
     WHERE a.id = p.application_id AND a.status = 'active'
       AND p.id_hash = ${hashIdentifier(id)} AND p.used_at IS NULL AND p.expires_at > now()
    RETURNING a.client_id AS "clientId", a.name AS "applicationName", p.request, p.created_at AS "createdAt"`;
  return rows[0];
}

/**
 * Keeps the table small under a flood without shutting others out: of each network only the newest links stay, and over
 * the application's bound those go first that belong to the networks with the most. Resolves to how many went.
 */
export async function trimPushedLogins(db: TenantDatabase, applicationId: string): Promise<number> {
  return db.$executeRaw`
    DELETE FROM pushed_logins WHERE id_hash IN (
      SELECT id_hash FROM (
        SELECT id_hash, bucket, rank, row_number() OVER (ORDER BY live DESC, rank, created_at DESC) AS place
          FROM (
            SELECT id_hash, created_at, request->>'bucket' AS bucket, used_at IS NULL AND expires_at > now() AS live,
                   row_number() OVER (
                     PARTITION BY request->>'bucket', used_at IS NULL AND expires_at > now() ORDER BY created_at DESC
                   ) AS rank
              FROM pushed_logins WHERE application_id = ${applicationId}::uuid
          ) ranked
      ) placed
      WHERE place > ${pendingPerApplication} OR (rank > ${pendingPerBucket} AND bucket <> '')
    )`;
}
