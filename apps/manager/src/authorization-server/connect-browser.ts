import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { errors, type Interaction } from 'oidc-provider';
import type { ConnectTenant } from '../modules/services/connect-account.routes.js';
import { connectGonePage } from '../pages/connect-pages.js';
import { sendPage } from '../pages/send-page.js';
import { createFindAccount } from './accounts.js';
import { lifetimes } from './lifetimes.js';
import { hasLoggedOutSince } from './logged-out-since.js';
import { connectReason, signedInUrlOf } from './sign-in-to-connect.js';
import type { TenantProvider } from './tenant-provider.js';

/** The browser of somebody who connects an account: who is signed in there, and how somebody does. */
export function createConnectTenant({ context, provider, site }: TenantProvider): ConnectTenant {
  const { tenantId, db, issuer } = context;
  const findAccount = createFindAccount(context);
  return {
    tenantId,
    site,
    db,

    async personNow(request, response) {
      const { accountId, loginTs } = await provider.Session.get(provider.createContext(request, response));
      if (accountId === undefined || !(await findAccount(undefined as never, accountId))) return undefined;
      return (await hasLoggedOutSince(await db(), accountId, loginTs)) ? undefined : accountId;
    },

    async signIn(request, response, { link, clientId }) {
      const uid = randomBytes(32).toString('base64url');
      const url = `${issuer}/interaction/${uid}`;
      const returnTo = signedInUrlOf(issuer, uid);
      const prompt = { name: 'login', reasons: [connectReason], details: {} };
      const payload = { returnTo, prompt, params: { client_id: clientId } };
      const interaction = new (provider.Interaction as unknown as NewInteraction)(uid, payload);
      await interaction.save(lifetimes.interaction);
      const { cookies } = provider.createContext(request, response);
      const options = { ...cookieOptions(issuer), maxAge: lifetimes.interaction * 1_000 };
      cookies.set(provider.cookieName('interaction'), uid, { ...options, path: new URL(url).pathname });
      cookies.set(provider.cookieName('resume'), `${uid}.${link}`, { ...options, path: new URL(returnTo).pathname });
      return url;
    },
  };
}

/** The library's own way to make one, which its types leave out. */
type NewInteraction = new (uid: string, payload: object) => Interaction;

/** GET `<issuer>/connect/signed-in/<id>`: the sign-in page sends here, and here it goes back to the link. */
export async function comeBackFromSignIn(tenant: TenantProvider, request: Request, response: Response): Promise<void> {
  const { context, provider, site } = tenant;
  const { issuer } = context;
  const uid = String(request.params['uid']);
  const ctx = provider.createContext(request, response);
  const name = provider.cookieName('resume');
  const options = cookieOptions(issuer);
  const [of, link] = (ctx.cookies.get(name, options) ?? '').split('.', 2);
  const interaction = of === uid && link !== undefined ? await takeInteraction(tenant, uid) : undefined;
  if (!interaction || link === undefined) return sendPage(response, site, connectGonePage);
  ctx.cookies.set(name, null, { ...options, path: new URL(signedInUrlOf(issuer, uid)).pathname });
  const { login } = interaction.result ?? {};
  if (login?.accountId !== undefined) {
    const known = await provider.Session.get(ctx);
    const isOther = known.accountId !== undefined && known.accountId !== login.accountId;
    // What somebody else's session holds is not theirs.
    if (isOther) await known.destroy();
    const session = isOther ? await provider.Session.get(ctx) : known;
    session.loginAccount({ accountId: login.accountId, amr: login.amr });
    // What an earlier login was known by is worth nothing for this one.
    session.resetIdentifier();
    await session.save(lifetimes.browserSession);
    const kept = { ...options, path: new URL(issuer).pathname, maxAge: lifetimes.browserSession * 1_000 };
    ctx.cookies.set(provider.cookieName('session'), session.jti, kept);
  }
  response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
  response.redirect(303, `${issuer}/connect/${encodeURIComponent(link)}`);
}

/** Once: of two that come at the same moment one goes on. */
async function takeInteraction({ provider }: TenantProvider, uid: string): Promise<Interaction | undefined> {
  const interaction = await provider.Interaction.find(uid);
  if (!interaction?.prompt.reasons.includes(connectReason)) return undefined;
  try {
    await interaction.destroy();
    return interaction;
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined;
    throw error;
  }
}

function cookieOptions(issuer: string) {
  const secure = new URL(issuer).protocol === 'https:';
  return { httpOnly: true, secure, sameSite: 'lax', signed: true, overwrite: false } as const;
}
