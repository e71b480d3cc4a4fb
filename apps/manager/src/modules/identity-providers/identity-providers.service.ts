import { randomUUID } from 'node:crypto';
import type {
  IdentityProviderSettings,
  IdentityProviderView,
  SignInSettingsView,
} from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import type { Secret } from '../../config/secret.js';
import { AppError } from '../../errors/app-error.js';
import type { Sealer } from '../../ports/sealer.js';
import { actorOf, type AuditEvent } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { callbackUrlOf, type IdentityProvider, problemsOf, secretBinding } from './identity-provider.js';
import {
  deleteIdentityProvider,
  findIdentityProvider,
  insertIdentityProvider,
  isPasswordEnabled,
  listIdentityProviders,
  lockSignInSettings,
  setPasswordEnabled,
  updateIdentityProvider,
} from './identity-providers.repository.js';

export interface NewIdentityProvider {
  readonly name: string;
  readonly kind: 'oidc' | 'oauth2';
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly enabled: boolean;
  readonly settings: IdentityProviderSettings;
}

export interface IdentityProviderUpdate {
  readonly name?: string;
  readonly clientId?: string;
  /** Null takes it away. */
  readonly clientSecret?: Secret | null;
  readonly enabled?: boolean;
  readonly settings?: IdentityProviderSettings;
}

export interface IdentityProvidersService {
  list(caller: Caller): Promise<IdentityProviderView[]>;
  get(caller: Caller, id: string): Promise<IdentityProviderView>;
  /** AppError 'conflict' where name or issuer is taken, 'invalid_request' with the fields that do not fit. */
  create(caller: Caller, provider: NewIdentityProvider, requestId: string): Promise<IdentityProviderView>;
  update(caller: Caller, id: string, change: IdentityProviderUpdate, requestId: string): Promise<IdentityProviderView>;
  /** AppError 'conflict', here and above, where nobody could sign in any more. */
  remove(caller: Caller, id: string, requestId: string): Promise<void>;
  getSignInSettings(caller: Caller): Promise<SignInSettingsView>;
  updateSignInSettings(caller: Caller, passwordEnabled: boolean, requestId: string): Promise<SignInSettingsView>;
}

export interface IdentityProvidersOptions {
  readonly sealer: Sealer;
  readonly allowHttp: boolean;
  /** AppError 'insufficient_permission' where it carries rights on AuthSec that the caller does not hold. */
  readonly assertMayGive: (
    caller: Caller,
    right: { readonly kind: 'roles' | 'groups' | 'scopes' | 'resources'; readonly name: string },
  ) => Promise<void>;
}

export function createIdentityProvidersService(options: IdentityProvidersOptions): IdentityProvidersService {
  const { sealer, allowHttp, assertMayGive } = options;

  const seal = (caller: Caller, id: string, secret: Secret) =>
    sealer.seal(secret.reveal(), secretBinding(caller.tenantId, id));

  async function assertValid(
    caller: Caller,
    provider: Pick<IdentityProvider, 'kind' | 'issuer' | 'settings'>,
  ): Promise<void> {
    const fields = problemsOf(provider, { allowHttp });
    if (fields.length > 0) throw new AppError('invalid_request', 'the identity provider is not valid', { fields });
    for (const { gives } of provider.settings.rights) await assertMayGive(caller, gives);
  }

  return {
    list: async (caller) => (await listIdentityProviders(caller.db)).map((provider) => toView(caller, provider)),

    async get(caller, id) {
      const provider = await findIdentityProvider(caller.db, id);
      if (!provider) throw noSuchProvider();
      return toView(caller, provider);
    },

    async create(caller, { clientSecret, ...provider }, requestId) {
      await assertValid(caller, provider);
      const id = randomUUID();
      const sealedClientSecret = clientSecret ? seal(caller, id, clientSecret) : null;
      return caller.db.$transaction(async (transaction) => {
        const row = await insertIdentityProvider(transaction, { id, ...provider, sealedClientSecret });
        if (!row) throw taken();
        const { name, kind, issuer, clientId } = provider;
        await recordAuditEvent(transaction, {
          ...toEvent('identity_provider.create', caller, id, requestId),
          details: { name, kind, issuer, client_id: clientId, client_secret: clientSecret ?? null },
        });
        return toView(caller, row);
      });
    },

    async update(caller, id, { clientSecret, ...change }, requestId) {
      const before = await findIdentityProvider(caller.db, id);
      if (!before) throw noSuchProvider();
      if (change.settings) await assertValid(caller, { ...before, settings: change.settings });
      if (clientSecret === undefined && wouldTellElsewhere(before, change.settings)) {
        const detail = 'must be given again, or be null, with a token endpoint at another place';
        const fields = [{ pointer: '/client_secret', detail }];
        throw new AppError('invalid_request', 'the secret was for another token endpoint', { fields });
      }
      const secret =
        clientSecret === undefined ? {} : { sealedClientSecret: clientSecret && seal(caller, id, clientSecret) };
      return caller.db.$transaction(async (transaction) => {
        await lockSignInSettings(transaction);
        const row = await updateIdentityProvider(transaction, id, { ...change, ...secret });
        if (row === 'taken') throw taken();
        if (!row) throw noSuchProvider();
        await assertSomeWayIn(transaction);
        const { name, clientId, enabled, settings } = change;
        await recordAuditEvent(transaction, {
          ...toEvent('identity_provider.update', caller, id, requestId),
          details: {
            ...(name !== undefined && { name }),
            ...(clientId !== undefined && { client_id: clientId }),
            ...(clientSecret !== undefined && { client_secret: clientSecret }),
            ...(enabled !== undefined && { enabled }),
            ...(settings && { settings: JSON.stringify(settings) }),
          },
        });
        return toView(caller, row);
      });
    },

    remove: (caller, id, requestId) =>
      caller.db.$transaction(async (transaction) => {
        await lockSignInSettings(transaction);
        if (!(await deleteIdentityProvider(transaction, id))) throw noSuchProvider();
        await assertSomeWayIn(transaction);
        await recordAuditEvent(transaction, toEvent('identity_provider.delete', caller, id, requestId));
      }),

    getSignInSettings: async (caller) => ({ password_enabled: await isPasswordEnabled(caller.db) }),

    updateSignInSettings: (caller, passwordEnabled, requestId) =>
      caller.db.$transaction(async (transaction) => {
        await lockSignInSettings(transaction);
        await setPasswordEnabled(transaction, passwordEnabled);
        await assertSomeWayIn(transaction);
        await recordAuditEvent(transaction, {
          ...toEvent('sign_in_settings.update', caller, 'sign-in-settings', requestId),
          details: { password_enabled: passwordEnabled },
        });
        return { password_enabled: passwordEnabled };
      }),
  };
}

/** A kept secret is told to the token endpoint that it was given for: who may only write it must not be told it. */
function wouldTellElsewhere(
  { sealedClientSecret, settings }: IdentityProvider,
  next: IdentityProviderSettings | undefined,
): boolean {
  if (!sealedClientSecret || !next) return false;
  return next.oauth2?.token_endpoint !== settings.oauth2?.token_endpoint;
}

async function assertSomeWayIn(transaction: Parameters<typeof isPasswordEnabled>[0]): Promise<void> {
  if (await isPasswordEnabled(transaction)) return;
  if ((await listIdentityProviders(transaction, { enabledOnly: true })).length > 0) return;
  throw new AppError('conflict', 'nobody could sign in any more');
}

function toView(
  { issuer: ownIssuer }: Caller,
  { id, name, kind, issuer, clientId, sealedClientSecret, enabled, settings, createdAt }: IdentityProvider,
): IdentityProviderView {
  return {
    id,
    name,
    kind,
    issuer,
    client_id: clientId,
    has_client_secret: sealedClientSecret !== null,
    callback_url: callbackUrlOf(ownIssuer, id),
    enabled,
    settings,
    created_at: createdAt.toISOString(),
  };
}

function toEvent(action: string, caller: Caller, id: string, requestId: string): AuditEvent {
  return { action, actor: actorOf(caller), target: { kind: 'identity_provider', id }, outcome: 'done', requestId };
}

function noSuchProvider(): AppError {
  return new AppError('not_found', 'no such identity provider');
}

function taken(): AppError {
  return new AppError('conflict', 'the name or the issuer is that of another identity provider');
}
