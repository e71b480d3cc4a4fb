import type { Request, Response } from 'express';
import { errors, type Interaction, type InteractionResults } from 'oidc-provider';
import type { LoginInteractions, PendingLogin } from '../modules/sign-in/login-interactions.js';
import { applicationOf } from './client-metadata.js';
import { lifetimes } from './lifetimes.js';
import { approvableScopes } from './scopes.js';
import type { TenantProvider } from './tenant-provider.js';

/** oidc-provider's interactions of one tenant, as the sign-in pages see them. */
export function createLoginInteractions({ context, provider, site }: TenantProvider): LoginInteractions {
  return {
    tenantId: context.tenantId,
    site,
    db: context.db,

    async find(request, response) {
      const interaction = await load(request, response);
      if (!interaction || interaction.uid !== request.params['uid']) return undefined;
      const client = await provider.Client.find(String(interaction.params['client_id']));
      return client && describe(interaction, applicationOf(client));
    },

    personNow: async (request, response) => (await browserSession(request, response)).accountId,

    async signedIn(request, response, userId, methods = ['pwd']) {
      // oidc-provider would answer a change of person with a page of its own, which needs an inline script.
      const known = await browserSession(request, response);
      if (known.accountId !== undefined && known.accountId !== userId) await forgetPerson(request, response);
      return finish(request, response, { login: { accountId: userId, amr: [...methods] } });
    },

    async signedOut(request, response) {
      await forgetPerson(request, response);
      return finish(request, response, { signedOut: {} });
    },

    approved: (request, response) =>
      provider.interactionResult(request, response, { consent: {} }, { mergeWithLastSubmission: true }),

    refused: (request, response) =>
      finish(request, response, { error: 'access_denied', error_description: 'the person refused' }),
  };

  /** An earlier submission is not merged: an approval holds for the person who gave it only. */
  function finish(request: Request, response: Response, result: InteractionResults): Promise<string> {
    return provider.interactionResult(request, response, result, { mergeWithLastSubmission: false });
  }

  async function load(request: Request, response: Response): Promise<Interaction | undefined> {
    try {
      return await provider.interactionDetails(request, response);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  function browserSession(request: Request, response: Response) {
    return provider.Session.get(provider.createContext(request, response));
  }

  async function forgetPerson(request: Request, response: Response): Promise<void> {
    const interaction = await load(request, response);
    const session = await browserSession(request, response);
    if (session.accountId !== undefined) await session.destroy();
    if (!interaction) return;
    delete interaction.session;
    await interaction.persist();
  }
}

function describe(
  { uid, iat, prompt, params, session }: Interaction,
  application: ReturnType<typeof applicationOf>,
): PendingLogin {
  const text = (name: string) => (typeof params[name] === 'string' ? params[name] : undefined);
  const requestedAt = Number(text('requested_at') ?? iat);
  return {
    id: uid,
    step: prompt.name === 'consent' ? 'approval' : 'sign-in',
    request: {
      applicationName: application.name,
      reportedName: text('client_name'),
      reportedAddress: text('client_address'),
      requestedAt: new Date(requestedAt * 1000),
      rememberedDays: text('remember_login') === 'true' ? lifetimes.refreshableLogin / 86_400 : undefined,
    },
    scopes: approvableScopes(application.scopes, { scope: text('scope'), inBand: text('mcp_session') !== undefined }),
    userId: session?.accountId,
    emailHint: text('login_hint'),
  };
}
