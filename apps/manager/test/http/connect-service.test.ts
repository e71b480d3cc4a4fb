import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  type AccountService,
  type AccountsStage,
  departureOf,
  startAccountsStage,
  type TestPerson,
} from '../support/connected-accounts.js';
import { createTestApplication, createTestLogin, createTestPerson, random } from '../support/test-data.js';

const path = '/v1/service-connections';
let stage: AccountsStage;
let service: AccountService;
beforeAll(async () => {
  stage = await startAccountsStage();
  service = await stage.newService();
}, 60_000);
afterAll(() => stage?.close());
afterEach(() => {
  stage.oauth.person = 'octocat';
  stage.oauth.fault = undefined;
});

const connectionOf = ({ user }: TestPerson, { id }: AccountService = service) =>
  stage.tenant.db.serviceConnection.findFirst({ where: { userId: user.id, serviceId: id } });
const ask = async (body: object, authorization?: string) => {
  const call = request(stage.server.url).post(path);
  if (authorization !== undefined) call.set('Authorization', authorization);
  const { status, body: answer } = await call.send(body);
  return [status, (answer as { code?: string }).code];
};

describe('the whole way', () => {
  test('a person connects their own account, and a tool gets a token of it', async () => {
    const person = await stage.newPerson();
    const before = await stage.issue(service, person);
    expect([before.status, before.body.code]).toEqual([409, 'service_not_connected']);
    const page = await stage.connect(service, person);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('Your account is connected')]);
    const issued = await stage.issue(service, person);
    expect([issued.status, issued.body.credential.type]).toEqual([201, 'bearer']);
    expect(await stage.oauth.holderOf(issued.body.credential.token)).toBe('octocat');
    expect(await connectionOf(person)).toMatchObject({ status: 'connected', scope: 'repo', refreshingUntil: null });
    const other = await stage.issue(service, await stage.newPerson());
    expect(other.body.code).toBe('service_not_connected');
  });

  test('each person gets a token of their own account', async () => {
    const [ada, bob] = [await stage.newPerson(), await stage.newPerson()];
    await stage.connect(service, ada);
    stage.oauth.person = 'hubot';
    await stage.connect(service, bob);
    const holders = await Promise.all(
      [ada, bob].map(async (person) =>
        stage.oauth.holderOf((await stage.issue(service, person)).body.credential.token),
      ),
    );
    expect(holders).toEqual(['octocat', 'hubot']);
  });

  test('connected anew, the account is the new one', async () => {
    const person = await stage.newPerson();
    await stage.connect(service, person);
    stage.oauth.person = 'hubot';
    await stage.connect(service, person);
    expect(await stage.oauth.holderOf((await stage.issue(service, person)).body.credential.token)).toBe('hubot');
  });

  test('no token, secret or link of it is in a log line, an audit row or a column', async () => {
    const person = await stage.newPerson();
    const url = await stage.linkUrl(service, person);
    const { browser, page } = await stage.openAs(url, person);
    const departure = departureOf(await browser.press(page, 'Connect'));
    const back = await stage.oauth.visit(departure);
    await browser.get(back);
    const { token } = (await stage.issue(service, person)).body.credential;
    const stored = await stage.server.container.secrets.read({
      tenantId: stage.tenant.id,
      collection: 'connections',
      serviceId: service.id,
      ownerId: person.user.id,
    });
    const canaries = [
      token,
      stored.value['refresh_token'],
      service.clientSecret,
      encodeURIComponent(service.clientSecret),
      new URL(departure).searchParams.get('state'),
      new URL(back).searchParams.get('code'),
      url.split('/').at(-1),
    ];
    const { db } = stage.tenant;
    const tables = await db.$queryRaw<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`;
    const rows = await Promise.all(
      tables.map(({ name }) =>
        db.$queryRawUnsafe<{ row: string }[]>(`SELECT to_jsonb(t)::text AS row FROM "${name}" t`),
      ),
    );
    const dump = rows.flat().map(({ row }) => row);
    const bytes = dump.map((row) =>
      row.replaceAll(/\\\\x([0-9a-f]+)/g, (_all, hex: string) => Buffer.from(hex, 'hex').toString('latin1')),
    );
    const everything = [stage.log(), ...dump, ...bytes].join('\n');
    expect(canaries.filter((canary) => !canary || everything.includes(canary))).toEqual([]);
    expect(dump.length).toBeGreaterThan(20);
  });

  test('it is audited who connected, and listed', async () => {
    const person = await stage.newPerson();
    await stage.connect(service, person);
    const event = await stage.tenant.db.auditEvent.findFirstOrThrow({
      where: { action: 'service.connect', actorId: person.user.id },
    });
    expect(event).toMatchObject({ targetId: service.id, outcome: 'done', details: { scope: 'repo' } });
    const listed = await stage.admin('get', `/v1/services/${service.id}/connections`);
    expect(listed.body.connections).toContainEqual({
      sub: person.user.id,
      status: 'connected',
      scope: 'repo',
      connected_at: expect.any(String),
      last_used_at: null,
    });
  });
});

describe('a link', () => {
  test('lives ten minutes, and of it only the hash is kept', async () => {
    const person = await stage.newPerson();
    const { status, body } = await stage.link(service, person);
    expect([status, body]).toEqual([201, { connect_url: expect.any(String), expires_in: 600 }]);
    const [link] = /[^/]{43}$/.exec(body.connect_url as string) ?? [];
    expect(body.connect_url).toBe(`${stage.tenant.issuer}/connect/${link}`);
    const row = await stage.tenant.db.serviceConnectAttempt.findFirstOrThrow({ where: { userId: person.user.id } });
    expect(JSON.stringify(row)).not.toContain(link);
  });

  test('a person has at most twenty', async () => {
    const person = await stage.newPerson();
    for (let count = 0; count < 22; count++) await stage.link(service, person);
    expect(await stage.tenant.db.serviceConnectAttempt.count({ where: { userId: person.user.id } })).toBe(20);
  });

  test('is given to a public client for its own session', async () => {
    const { db } = stage.tenant;
    const data = { clientId: `app_${random(6)}`, name: 'On a desk', tokenEndpointAuthMethod: 'none' };
    const desk = await db.application.create({ data });
    const own = await stage.newService({}, { applications: [desk.clientId] });
    const user = await createTestPerson(stage.tenant, { roles: ['developer'] });
    const { sid } = await createTestLogin(stage.tenant, desk, user, { bound: true });
    const by = `Bearer ${await stage.tenant.sign({ sub: user.id, client_id: desk.clientId, sid })}`;
    expect(await ask({ sid, service: own.name }, by)).toEqual([201, undefined]);
    const other = await createTestLogin(stage.tenant, desk, user, { bound: true });
    expect(await ask({ sid: other.sid, service: own.name }, by)).toEqual([404, 'not_found']);
  });

  test('is not given to who may not use the service, nor where there are no accounts', async () => {
    const person = await stage.newPerson();
    const by = await stage.application.bearer();
    const { sid } = person;
    const closed = await stage.newService({}, { requirement: { roles: ['owner'] } });
    expect(await ask({ sid, service: closed.name }, by)).toEqual([403, 'service_denied']);
    const rest = { settings: { kind: 'bearer' }, secret: { token: 'x-secret' } };
    const { name } = await stage.newService({}, rest);
    expect(await ask({ sid, service: name }, by)).toEqual([409, 'conflict']);
    expect(await ask({ sid, service: 'nothing' }, by)).toEqual([404, 'not_found']);
  });

  test('400, 401, 403 and 404 as everywhere, 410 for a session that has ended', async () => {
    const { sid } = await stage.newPerson();
    const good = { sid, service: service.name };
    const by = await stage.application.bearer();
    expect(await ask({ ...good, more: 1 }, by)).toEqual([400, 'invalid_request']);
    expect(await ask({ sid, service: '%2e%2e' }, by)).toEqual([400, 'invalid_request']);
    expect(await ask(good)).toEqual([401, 'invalid_token']);
    const other = await createTestApplication(stage.tenant);
    expect(await ask(good, await other.bearer())).toEqual([404, 'not_found']);
    const elsewhere = await createTestApplication(await stage.server.createTenant());
    expect(await ask(good, await elsewhere.bearer())).toEqual([404, 'not_found']);
    const user = await createTestPerson(stage.tenant, { roles: ['authsec-admin'] });
    const login = await createTestLogin(stage.tenant, stage.application, user, { inBand: false });
    const claims = { sub: user.id, client_id: stage.application.clientId, sid: login.sid, roles: ['authsec-admin'] };
    expect(await ask(good, `Bearer ${await stage.tenant.sign(claims)}`)).toEqual([403, 'insufficient_permission']);
    const { db, id: tenantId } = stage.tenant;
    await stage.server.container.sessions.endSession({ tenantId, db, sid, reason: 'revoked' });
    expect(await ask(good, by)).toEqual([410, 'session_ended']);
  });
});
