import type { User } from '@authsec/prisma/tenant';
import request from 'supertest';
import { callbackUrlOf } from '../../src/modules/services/connect-attempt.js';
import { createHttpBrowser, type BrowserPage, type HttpBrowser } from '../authorization-server/http-browser.js';
import { givePassword, password, startTestServer, type TestServer } from '../authorization-server/test-server.js';
import { createKeptLog } from './kept-log.js';
import { type OAuthService, startOAuthService } from './oauth-service.js';
import {
  createTestApplication,
  createTestLogin,
  createTestPerson,
  createTestRole,
  random,
  type TestApplication,
} from './test-data.js';
import type { TestTenant } from './test-manager.js';

export interface TestPerson {
  readonly user: User;
  readonly sid: string;
}

export interface AccountService {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbackUrl: string;
}

/** A Manager that listens, a service where people have accounts, and people in front of browsers. */
export interface AccountsStage {
  readonly server: TestServer;
  readonly tenant: TestTenant;
  readonly oauth: OAuthService;
  readonly application: TestApplication;
  /** Everything that the Manager has logged. */
  readonly log: () => string;
  newPerson(): Promise<TestPerson>;
  newService(settings?: object, rest?: object): Promise<AccountService>;
  /** What a tool gets. */
  issue(service: AccountService, person: TestPerson, at?: string): Promise<request.Response>;
  link(service: AccountService, person: TestPerson): Promise<request.Response>;
  linkUrl(service: AccountService, person: TestPerson): Promise<string>;
  admin(method: 'get' | 'post' | 'patch' | 'delete', path: string, body?: object): Promise<request.Response>;
  /** A browser at the link, its person signed in. */
  openAs(url: string, person: TestPerson, browser?: HttpBrowser): Promise<{ browser: HttpBrowser; page: BrowserPage }>;
  /** The whole way: the page that it ends on. */
  connect(service: AccountService, person: TestPerson, signedIn?: HttpBrowser): Promise<BrowserPage>;
  close(): Promise<void>;
}

export async function startAccountsStage(): Promise<AccountsStage> {
  const log = createKeptLog('trace');
  const settings = { AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1' };
  const server = await startTestServer({ logger: log.logger }, settings);
  const oauth = await startOAuthService();
  const tenant = await server.createTenant();
  const application = await createTestApplication(tenant);
  const redirectUris = ['https://tools.test/callback'];
  await tenant.db.application.update({
    where: { id: application.id },
    data: { redirectUris, clientSecretHash: random() },
  });
  const roles = [await createTestRole(tenant, random(), ['authsec:services:*'])];
  const writer = await createTestApplication(tenant, { roles });

  const send = async (
    method: 'get' | 'post' | 'patch' | 'delete',
    path: string,
    { body, by = application, at = server.url }: { body?: object | undefined; by?: TestApplication; at?: string },
  ) => {
    const authorization = await by.bearer();
    const call = request(at)[method](path).set({ authorization });
    return body === undefined ? call : call.send(body);
  };

  const stage: AccountsStage = {
    server,
    tenant,
    oauth,
    application,
    log: log.text,
    async newPerson() {
      const user = await createTestPerson(tenant, { roles: ['developer'] });
      await givePassword(tenant, user.id);
      const { sid } = await createTestLogin(tenant, application, user, { bound: true });
      return { user, sid };
    },
    async newService(own = {}, rest = {}) {
      const { clientId, clientSecret, redirectTo } = oauth.newClient();
      const body = {
        name: `s${random(8)
          .toLowerCase()
          .replaceAll(/[^a-z0-9]/g, '')}`,
        base_url: oauth.origin,
        settings: {
          kind: 'oauth2_authorization_code',
          ...oauth.settings,
          client_id: clientId,
          scope: 'repo',
          ...own,
        },
        secret: { client_secret: clientSecret },
        requirement: { roles: ['developer'] },
        applications: [application.clientId],
        allow_private_addresses: true,
        ...rest,
      };
      const answer = await stage.admin('post', '/v1/services', body);
      if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
      const { id, name } = answer.body as { id: string; name: string };
      const callbackUrl = callbackUrlOf(tenant.issuer, id);
      redirectTo(callbackUrl);
      return { id, name, clientId, clientSecret, callbackUrl };
    },
    issue: ({ name }, { sid }, at) =>
      send('post', '/v1/service-credentials', { body: { sid, service: name }, ...(at !== undefined && { at }) }),
    link: ({ name }, { sid }) => send('post', '/v1/service-connections', { body: { sid, service: name } }),
    async linkUrl(service, person) {
      return (await stage.link(service, person)).body.connect_url as string;
    },
    admin: (method, path, body) => send(method, path, { body, by: writer }),
    async openAs(url, { user }, browser = createHttpBrowser()) {
      const page = await browser.press(await browser.get(url), 'Sign in');
      return { browser, page: await browser.press(page, 'Sign in', { email: user.email, password }) };
    },
    async connect(service, person, signedIn) {
      const url = await stage.linkUrl(service, person);
      const { browser, page } = signedIn
        ? { browser: signedIn, page: await signedIn.get(url) }
        : await stage.openAs(url, person);
      return browser.get(await oauth.visit(departureOf(await browser.press(page, 'Connect'))));
    },
    async close() {
      await oauth.close();
      await server.close();
    },
  };
  return stage;
}

/** Where a page sends the browser. */
export function departureOf(page: BrowserPage): string {
  const url = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&');
  if (url === undefined) throw new Error(`${page.status} goes nowhere:\n${page.text}`);
  return url;
}
