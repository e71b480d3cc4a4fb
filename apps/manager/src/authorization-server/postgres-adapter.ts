import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { TenantDatabase } from '../db/tenant-clients.js';
import {
  consumeRow,
  deleteRow,
  deleteRowsOfGrant,
  readRow,
  readRowByUid,
  writeRow,
  type ProviderRow,
} from './provider-rows.js';
import { connectReason, signedInUrlOf } from './sign-in-to-connect.js';
import { attemptInHand, isSameAttempt, spendRefreshToken } from './refresh-rotation.js';

export interface PostgresAdapterOptions {
  /** Opened anew for each step: a tenant's pool may be closed while it is idle. */
  readonly db: () => Promise<TenantDatabase>;
  readonly issuer: string;
  /** The client metadata of an active application. */
  readonly findClient: (clientId: string) => Promise<AdapterPayload | undefined>;
  /** Called wherever a grant ends, whichever way it ends. */
  readonly onGrantEnded: (grantId: string) => Promise<void>;
  /** True while the request in hand pushes a login that is kept elsewhere. */
  readonly isHeldElsewhere: () => boolean;
}

/** What may be written once: a second write of the same identifier is a replay. */
const writtenOnce = new Set(['PushedAuthorizationRequest', 'ReplayDetection']);

/** oidc-provider's storage of one model. The library looks first and writes then: what must happen once is made atomic here. */
export function createPostgresAdapter(model: string, options: PostgresAdapterOptions): Adapter {
  const { db, issuer, findClient, onGrantEnded, isHeldElsewhere } = options;
  return {
    async upsert(id, payload, expiresIn) {
      if (model === 'Client') throw new Error('applications are not written by the provider');
      if (model === 'PushedAuthorizationRequest' && isHeldElsewhere()) return;
      const once = writtenOnce.has(model);
      const row = {
        id,
        payload: withoutIdentifiers(model, payload),
        grantId: model === 'Grant' ? id : payload.grantId,
        uid: model === 'Session' ? payload.uid : undefined,
        expiresInSeconds: expiresIn,
      };
      assertStorable(row.payload);
      const written = await writeRow(await db(), model, row, { once });
      if (once && !written) throw replayed(model);
    },
    async find(id) {
      if (model === 'Client') return id.includes('\0') ? undefined : findClient(id);
      const row = await readRow(await db(), model, id);
      // Requests of the same moment are refused, and no more: what a replay ends would be the login of the first of them.
      if (model === 'AuthorizationCode' && row?.justConsumed) return undefined;
      if (model === 'RefreshToken' && row?.consumedAt && (await isSameAttempt(await db(), id, attemptInHand()))) {
        return fromRow(model, { ...row, consumedAt: null }, id, issuer);
      }
      return row && fromRow(model, row, id, issuer);
    },
    async findByUid(uid) {
      const row = await readRowByUid(await db(), model, uid);
      return row && fromRow(model, row, undefined, issuer);
    },
    async findByUserCode() {
      return undefined;
    },
    async consume(id) {
      const isFirst =
        model === 'RefreshToken'
          ? await spendRefreshToken(await db(), id, attemptInHand())
          : await consumeRow(await db(), model, id);
      if (isFirst) return;
      // Of two that come at once one may be a thief's, and nobody knows which: as with a second use, the login ends.
      const grantId = model === 'RefreshToken' ? (await readRow(await db(), model, id))?.payload['grantId'] : undefined;
      if (typeof grantId === 'string') await onGrantEnded(grantId);
      if (model === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri was already used');
      throw new errors.InvalidGrant(`${model} was already used`);
    },
    async destroy(id) {
      const deleted = await deleteRow(await db(), model, id);
      if (model === 'Grant') await onGrantEnded(id);
      // It is destroyed where it goes on: two that do so at once must not make two logins.
      if (model === 'Interaction' && !deleted) throw new errors.SessionNotFound('this interaction has gone on already');
    },
    async revokeByGrantId(grantId) {
      await deleteRowsOfGrant(await db(), model, grantId);
    },
  };
}

function replayed(model: string): errors.OIDCProviderError {
  if (model === 'ReplayDetection') return new errors.InvalidClientAuth('an assertion is good once');
  return new errors.InvalidRequest('this identifier was already used');
}

/** PostgreSQL has no NUL in text. */
export function assertStorable(value: object): void {
  if (JSON.stringify(value).includes('\\u0000')) throw new errors.InvalidRequest('a parameter has a NUL character');
}

/** The identifier is not stored in clear, neither as itself nor inside of what is derived from it. */
function withoutIdentifiers(model: string, payload: AdapterPayload): AdapterPayload {
  const { jti: _jti, ...rest } = payload;
  if (model !== 'Interaction') return rest;
  const { returnTo: _returnTo, session, ...interaction } = rest;
  if (!session) return interaction;
  const { cookie: _cookie, ...known } = session;
  return { ...interaction, session: known };
}

function fromRow(model: string, row: ProviderRow, id: string | undefined, issuer: string): AdapterPayload {
  const { attempt: _attempt, ...payload }: AdapterPayload = row.payload;
  if (id !== undefined) payload.jti = id;
  if (row.consumedAt) payload.consumed = Math.floor(row.consumedAt.getTime() / 1000);
  if (model === 'Interaction') {
    const connects = payload.prompt?.reasons.includes(connectReason);
    payload.returnTo = connects ? signedInUrlOf(issuer, String(id)) : `${issuer}/auth/${id}`;
  }
  return payload;
}
