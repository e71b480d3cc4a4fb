import { parseIssuer } from '@authsec/manager-client';
import { authsec, type AuthSec } from '../authsec.js';
import type { UserInfo } from '../session/caller-session.js';
import { type AuthSecOptions, systemEnvironment } from '../session/login-service.js';
import { provideEnvironment } from '../session/provided-environment.js';
import { connectTestClient, signIn, type ConnectableServer, type TestClient, type ToolCaller } from './test-client.js';
import { createTestClock, turn } from './test-clock.js';
import { createTestFetch } from './test-fetch.js';
import { createTestLogins } from './test-logins.js';
import { createPerson, type Person, type TestPerson, type TestRights } from './test-people.js';
import { createTestServices, type TestService } from './test-services.js';
import { createTestSessions } from './test-sessions.js';

export interface TestManagerOptions extends TestRights {
  /** Who there is, by e-mail address, and what they hold. */
  readonly people?: Readonly<Record<string, TestPerson>> | undefined;
  /** Services that tools use with a credential, by name. */
  readonly services?: Readonly<Record<string, TestService>> | undefined;
  /** `acme` unless told. */
  readonly tenant?: string | undefined;
  /** Seconds that a login lasts; 10 hours unless told. */
  readonly sessionSeconds?: number | undefined;
}

/** A Manager of one tenant, in memory: the SDK and the guard in front of a server are the real ones. */
export interface TestManager {
  /** For `authsec()` and for whatever of the author's takes its options. */
  readonly options: AuthSecOptions & { readonly fetch: typeof globalThis.fetch };
  /** An `authsec()` on this Manager, closed with it. */
  authsec(options?: Partial<AuthSecOptions>): AuthSec;
  /** A client on a protected server, signed in where an e-mail address is given; closed with the Manager. */
  connect(server: ConnectableServer, email?: string): Promise<TestClient>;
  /** Signs in by the login tools, on any transport. */
  signIn(client: ToolCaller, email: string): Promise<UserInfo>;
  /** What the person does in the browser: returns the code that the last page shows. */
  approve(authorizationUrl: string, email: string): string;
  /** Adds a person, or replaces all that they hold; resolves once every login of theirs has it. */
  setPerson(email: string, person: TestPerson): Promise<void>;
  /** The person is gone, and their logins with them. */
  removePerson(email: string): Promise<void>;
  /** Adds a service, or replaces it: the next use of it in a tool has what is said here. */
  setService(name: string, service: TestService): void;
  /** Credentials of databases that were issued and have not been ended: none, once every call is over. */
  openLeases(): number;
  /** Ends the logins of a person; they may sign in again. */
  revoke(email: string): Promise<void>;
  /** From now on nobody reaches the Manager. What was judged before holds for 30 s at most. */
  goAway(): Promise<void>;
  /** It answers again; who was turned away asks again within 10 s (`advance(10_000)`). */
  comeBack(): Promise<void>;
  /** Time goes on at once, for the Manager and for every `authsec()` on it, in milliseconds. */
  advance(ms: number): Promise<void>;
  /** Closes clients and `authsec()`s. */
  close(): Promise<void>;
}

const toldWithinMs = 10_000;

export async function createTestManager(options: TestManagerOptions = {}): Promise<TestManager> {
  const { people: given = {}, services: declared = {}, tenant = 'acme', sessionSeconds = 36_000, ...rights } = options;
  const clientId = 'test-mcp-server';
  const clientSecret = 'the secret of no real application';
  const { issuer, baseUrl, tenantId } = parseIssuer(`https://authsec.test/t/${tenant}`);
  const clock = createTestClock();
  const people = new Map<string, Person>();
  const put = (email: string, person: TestPerson): void =>
    void people.set(email, createPerson(email, person, rights, clock.wall()));
  for (const [email, person] of Object.entries(given)) put(email, person);

  const sessions = createTestSessions({ tenantId, clock, people, sessionSeconds });
  const logins = await createTestLogins({ issuer, tenantId, clientId, clock, people, sessions });
  const services = createTestServices({ declared, clock, people, sessions });
  const network = createTestFetch({ issuer, baseUrl, clientId, clientSecret, logins, sessions, services });
  const { fetch } = network;
  const { debug } = systemEnvironment();
  provideEnvironment(fetch, { clock, debug, random: () => 0.5, network: services.network });

  const closers = new Set<() => Promise<void>>();
  let isThere = true;

  function approve(authorizationUrl: string, email: string): string {
    const person = people.get(email);
    if (!person) throw new Error(`people: there is no ${JSON.stringify(email)} (${[...people.keys()].join(', ')})`);
    return logins.approve(authorizationUrl, person);
  }

  /** Whatever was set off by an answer has run, and asked for nothing more. */
  async function settled(): Promise<void> {
    for (let quiet = 0; quiet < 10; quiet++) {
      await turn();
      if (network.inFlight() > 0) quiet = -1;
    }
  }

  /** Each login that is relied on was told what changed: polls pause for up to a second of real time. */
  async function told(): Promise<void> {
    const deadline = performance.now() + toldWithinMs;
    const waits = (): boolean => isThere && sessions.hasUntold();
    while (waits()) {
      if (performance.now() > deadline) throw new Error('no authsec() asked the test Manager what changed');
      await turn();
    }
    await settled();
  }

  const manager: TestManager = {
    options: { issuer, clientId, clientSecret, fetch },
    authsec(more) {
      const auth = authsec({ ...manager.options, ...more });
      closers.add(() => auth.close());
      return auth;
    },
    async connect(server, email) {
      const client = await connectTestClient(server, approve);
      closers.add(() => client.close());
      if (email !== undefined) await client.signIn(email);
      return client;
    },
    signIn: (client, email) => signIn(client, email, approve),
    approve,
    async setPerson(email, person) {
      put(email, person);
      sessions.bump();
      await told();
    },
    async removePerson(email) {
      people.delete(email);
      sessions.endAllOf(email, 'user_disabled');
      await told();
    },
    setService: (name, service) => services.set(name, service),
    openLeases: () => services.openLeases(),
    async revoke(email) {
      sessions.endAllOf(email, 'revoked');
      await told();
    },
    async goAway() {
      isThere = false;
      network.become('away');
      await settled();
    },
    async comeBack() {
      isThere = true;
      network.become('there');
      await settled();
    },
    advance: (ms) => clock.advance(ms, settled),
    async close() {
      isThere = false;
      network.become('there');
      await Promise.all([...closers].map((close) => close()));
      closers.clear();
      network.become('closed');
    },
  };
  return manager;
}
