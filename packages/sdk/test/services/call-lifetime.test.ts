import { inspect } from 'node:util';
import type { RequestTaskStore } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  AuthSecError,
  callContext,
  type Logger,
  protectedByAuthSec,
  type RawCredential,
  ServiceAccessSDK,
  type ServiceToken,
  type ServiceFetch,
  type Services,
} from '../../src/index.js';
import { createTestManager, type TestClient, type TestManager, type TestService } from '../../src/testing.js';
import { prepareToolServers } from '../../src/tool-server/create-tool-server.js';
import { until } from '../support/fake-clock.js';

const ada = 'ada@acme.example';
const bob = 'bob@acme.example';
const canary = 'canary-password-1234567890';

const github: TestService = {
  credential: canary,
  requirement: { roles: ['developer'] },
  answer: (request) => Response.json({ got: request.headers.get('authorization') }),
};
const database = {
  type: 'database',
  host: 'db.test',
  port: 5432,
  database: 'reports',
  tls: 'verify-full',
  username: 'v-ada',
  password: canary,
} as const;
const reports: TestService = { credential: database };

let manager: TestManager;
let logged: string[];
const log = (level: string) => (message: string, details?: unknown) =>
  void logged.push(`${level} ${message} ${JSON.stringify(details ?? {})}`);
const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };

beforeEach(async () => {
  logged = [];
  manager = await createTestManager({
    people: { [ada]: { roles: ['developer'] }, [bob]: { roles: ['developer'] } },
    services: { github, reports },
  });
});
afterEach(() => manager.close());

type Run = (services: Services) => unknown;
let run: Run = () => 'nothing';

function createServer(): McpServer {
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  for (const name of ['work', 'work_of_developers', 'work_of_anyone']) {
    server.registerTool(name, { inputSchema: { n: z.number().optional() } }, async () => {
      const said = await run(callContext().services);
      return { content: [{ type: 'text', text: typeof said === 'string' ? said : (JSON.stringify(said) ?? 'done') }] };
    });
  }
  return manager.authsec({ logger }).protect(server, {
    tools: { work: {}, work_of_developers: { roles: ['developer'] }, work_of_anyone: { public: true } },
  });
}

async function call(client: TestClient, what: Run, name = 'work') {
  run = what;
  const { content, isError = false } = await client.callTool({ name, arguments: {} });
  const { text = '' } = content[0] as { text?: string };
  return { isError, text, said: isError && text.startsWith('{') ? JSON.parse(text) : undefined };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof AuthSecError ? error.code : String(error)),
  );

describe('after the call', () => {
  test('its fetch functions throw, and the author is told', async () => {
    const client = await manager.connect(createServer(), ada);
    let escaped: ServiceFetch | undefined;
    await call(client, async (services) => {
      escaped = await services.fetch('github');
      return (await escaped('x')).status;
    });
    expect(await codeOf(escaped!('x'))).toBe('credential_escaped');
    expect(logged.filter((line) => line.startsWith('warn')).join('\n')).toMatch(
      /work: a credential of github was used after/,
    );
  });

  test('no credential is to be had by what it left behind, and none that comes later', async () => {
    const client = await manager.connect(createServer(), ada);
    let services: Services | undefined;
    let late: Promise<unknown> | undefined;
    await call(client, (given) => {
      services = given;
      late = given.credential('reports');
      late.catch(() => {});
      return 'not awaited';
    });
    expect(await codeOf(late!)).toBe('credential_escaped');
    expect(await codeOf(services!.credential('reports'))).toBe('credential_escaped');
    expect(await codeOf(services!.fetch('github'))).toBe('credential_escaped');
    await until(() => manager.openLeases() === 0);
  });

  test('a credential has no value any more, and its lease ends', async () => {
    const client = await manager.connect(createServer(), ada);
    let escaped: RawCredential<'database'> | undefined;
    await call(client, async (services) => {
      escaped = await services.credential('reports', 'database');
      expect([escaped.password, escaped.reveal().password, manager.openLeases()]).toEqual([canary, canary, 1]);
    });
    for (const use of [() => escaped!.password, () => escaped!.host, () => escaped!.reveal()]) {
      expect(use).toThrow(expect.objectContaining({ code: 'credential_escaped' }));
    }
    expect(String(escaped)).toBe('[redacted]');
    await until(() => manager.openLeases() === 0);
  });

  test('which ends by an error, the lease ends too', async () => {
    const client = await manager.connect(createServer(), ada);
    const { isError } = await call(client, async (services) => {
      await services.credential('reports');
      throw new Error('no');
    });
    expect(isError).toBe(true);
    await until(() => manager.openLeases() === 0);
  });

  test('which its client cancels, or leaves, the lease ends while the tool still runs', async () => {
    for (const leave of [
      (client: TestClient, abort: AbortController) => abort.abort(),
      (client: TestClient) => void client.close(),
    ]) {
      const client = await manager.connect(createServer(), ada);
      const abort = new AbortController();
      let signal: AbortSignal | undefined;
      run = async (services) => {
        await services.credential('reports');
        signal = callContext().signal;
        leave(client, abort);
        await new Promise<void>((resolve) => signal!.addEventListener('abort', () => resolve()));
      };
      const asked = client.mcp.callTool({ name: 'work', arguments: {} }, undefined, { signal: abort.signal });
      await asked.catch(() => {});
      await until(() => signal?.aborted === true && manager.openLeases() === 0);
    }
  });

  test('nothing is opened either: not by what it answered, and not by what was cancelled', async () => {
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    const late: Promise<string>[] = [];
    let goOn = (): void => {};
    const wait = new Promise<void>((resolve) => (goOn = resolve));
    server.registerTool('work', {}, async () => {
      late.push(wait.then(() => codeOf(callContext().services.credential('reports'))));
      return { content: [] };
    });
    server.registerTool('hang', {}, async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      late.push(codeOf(callContext().services.credential('reports')));
      return { content: [] };
    });
    const client = await manager.connect(manager.authsec({ logger }).protect(server), ada);
    await client.callTool({ name: 'work' });
    goOn();
    const abort = new AbortController();
    const asked = client.mcp.callTool({ name: 'hang', arguments: {} }, undefined, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await asked.catch(() => {});
    await until(() => late.length === 2);
    const left = client.mcp.callTool({ name: 'hang', arguments: {} });
    await client.mcp.ping();
    await client.close();
    await left.catch(() => {});
    await until(() => late.length === 3);
    expect(await Promise.all(late)).toEqual(Array.from({ length: 3 }, () => 'credential_escaped'));
    expect(manager.openLeases()).toBe(0);
  });

  test('whose answer cannot be written, its lease ends', async () => {
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    let opened = 0;
    server.registerTool('work', {}, async () => {
      await callContext().services.credential('reports');
      opened = manager.openLeases();
      const toJSON = () => JSON.parse('no') as unknown;
      return { content: [], structuredContent: { bad: { toJSON } } };
    });
    const client = await manager.connect(manager.authsec({ logger }).protect(server), ada);
    const abort = new AbortController();
    const asked = client.mcp.callTool({ name: 'work', arguments: {} }, undefined, { signal: abort.signal });
    const failed = asked.then(
      () => 'answered',
      () => 'not answered',
    );
    await until(() => opened === 1 && manager.openLeases() === 0);
    abort.abort();
    expect(await failed).toBe('not answered');
  });

  test('closing authsec() ends the leases of calls that are under way', async () => {
    const auth = manager.authsec({ logger });
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    server.registerTool('work', {}, async () => {
      await callContext().services.credential('reports');
      await auth.close();
      return { content: [{ type: 'text', text: String(manager.openLeases()) }] };
    });
    const client = await manager.connect(auth.protect(server), ada);
    expect(await client.callTool({ name: 'work' })).toMatchObject({ content: [{ text: '0' }] });
  });

  test('a lease that could not be ended is ended once the Manager is back', async () => {
    const client = await manager.connect(createServer(), ada);
    await call(client, async (services) => {
      await services.credential('reports');
      await manager.goAway();
    });
    await manager.advance(0);
    expect(manager.openLeases()).toBe(1);
    expect(logged.join('\n')).toMatch(/a lease could not be ended/);
    await manager.comeBack();
    await manager.advance(10_000);
    expect(manager.openLeases()).toBe(0);
  });
});

describe('a credential', () => {
  test('is ended where the tool says so, by name or by leaving the block', async () => {
    const client = await manager.connect(createServer(), ada);
    await call(client, async (services) => {
      const one = await services.credential('reports');
      await one.end();
      expect(manager.openLeases()).toBe(0);
      expect(() => one.reveal()).toThrow(expect.objectContaining({ code: 'credential_escaped' }));
      const two = await services.credential('reports');
      await two[Symbol.asyncDispose]();
      expect(manager.openLeases()).toBe(0);
    });
    expect.assertions(3);
  });

  test('with a lease is as good as its call is long: the lease is renewed', async () => {
    manager.setService('reports', { ...reports, expiresInSeconds: 20 });
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      const one = await services.credential('reports', 'database');
      for (let seconds = 0; seconds < 120; seconds++) {
        await manager.advance(1_000);
        expect(one.password).toBe(canary);
      }
      return String(manager.openLeases());
    });
    expect(text).toBe('1');
    expect(manager.openLeases()).toBe(0);
    await manager.advance(60_000);
    expect(logged.join('\n')).not.toMatch(/not renewed/);
  });

  test('outlives a Manager that is away for a moment, and not the end of its lease', async () => {
    manager.setService('reports', { ...reports, expiresInSeconds: 20 });
    const client = await manager.connect(createServer(), ada);
    await call(client, async (services) => {
      const one = await services.credential('reports', 'database');
      await manager.goAway();
      await manager.advance(17_000);
      await manager.comeBack();
      await manager.advance(4_000);
      expect(one.password).toBe(canary);
      await manager.goAway();
      await manager.advance(20_000);
      expect(() => one.password).toThrow(expect.objectContaining({ code: 'credential_escaped' }));
    });
    expect.assertions(2);
  });

  test('of which the lease is renewed no more is of no use once that is over, and another is to be had', async () => {
    manager.setService('reports', { ...reports, expiresInSeconds: 20 });
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      const one = await services.credential('reports', 'database');
      manager.setService('reports', { ...reports, requirement: { roles: ['auditor'] } });
      await manager.advance(19_000);
      expect(one.password).toBe(canary);
      expect(logged.join('\n')).toMatch(/warn the lease of a credential of reports is not renewed.*service_denied/);
      await manager.advance(1_000);
      manager.setService('reports', reports);
      for (const use of [() => one.password, () => one.reveal()]) {
        expect(use).toThrow(expect.objectContaining({ code: 'credential_escaped' }));
      }
      expect(String(one)).toBe('[redacted]');
      return (await services.credential('reports', 'database')).username;
    });
    expect(text).toBe('v-ada');
  });

  test('without a lease is as good as its call is long', async () => {
    manager.setService('github', { ...github, rawCredential: true, expiresInSeconds: 0 });
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      const one = await services.credential('github', 'bearer');
      await manager.advance(1_000);
      return String(one.token === canary);
    });
    expect(text).toBe('true');
  });

  test('is nowhere to be seen, however it is printed, serialised or copied', async () => {
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      const credential = await services.credential('reports', 'database');
      const sdk = new ServiceAccessSDK();
      const { credentials } = await sdk.getServiceCredentials('reports');
      return [credential, credentials]
        .flatMap((one) => [
          String(one),
          `a ${one as unknown as string}`,
          JSON.stringify({ one }),
          inspect(one),
          inspect({ one }, { depth: 9, showHidden: true, getters: true }),
          inspect(one, { customInspect: false, showHidden: true }),
          inspect({ one }, { customInspect: false, showHidden: true, getters: true, depth: 9 }),
          JSON.stringify({ ...one }),
          JSON.stringify(Object.assign({}, one)),
          JSON.stringify(Object.entries(one)),
          inspect(structuredClone({ ...one })),
          inspect(structuredClone(one)),
          inspect(new Error('x', { cause: one })),
        ])
        .join('\n')
        .replaceAll('[redacted]', '[hidden]');
    });
    expect(text).not.toContain('canary');
    // Nothing of it was taken out on the way: it was not there.
    expect(text).not.toContain('[redacted]');
  });

  test('of another kind than was meant is an error, and its lease ends', async () => {
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, (services) => services.credential('reports', 'bearer'));
    expect(text).toContain('of type database');
    await until(() => manager.openLeases() === 0);
  });

  test('is not given out where the service does not allow it', async () => {
    const client = await manager.connect(createServer(), ada);
    expect((await call(client, (services) => services.credential('github'))).said).toMatchObject({
      error: 'service_raw_denied',
    });
    expect((await call(client, (services) => services.fetch('reports'))).said).toMatchObject({
      error: 'service_raw_denied',
    });
  });
});

describe('what a call has now goes out by no message of the process', () => {
  test('neither in progress, logging, errors nor in what another session is answered', async () => {
    const bobs = await manager.connect(createServer(), bob);
    const server = createServer();
    const client = await manager.connect(server, ada);
    const notified: string[] = [];
    client.mcp.fallbackNotificationHandler = async (notification) => void notified.push(JSON.stringify(notification));
    const { text } = await call(client, async (services) => {
      const { password } = await services.credential('reports', 'database');
      const extra = { method: 'notifications/y', params: { message: password } };
      await server.server.notification(extra);
      await server.server.notification({
        method: 'notifications/x',
        params: { [password]: [{ deep: encodeURIComponent(password) }] },
      });
      const other = await call(bobs, () => `bob heard of ${password}`);
      logger.info('the author may do as they please');
      throw new Error(`could not log in with ${password}; ${other.text}`);
    });
    expect(text).toBe('could not log in with [redacted]; bob heard of [redacted]');
    await until(() => notified.length === 2);
    expect(notified.join('')).not.toContain('canary');
    expect(notified.join('')).toContain('"[redacted]":[{"deep":"[redacted]"}]');
  });

  test('also what a tool sends that was cancelled and still runs', async () => {
    // One that no other test has: what the process has is hidden from all of it.
    const own = 'only-here-1234567890';
    manager.setService('reports', { ...reports, credential: { ...database, password: own } });
    const server = createServer();
    const client = await manager.connect(server, ada);
    const notified: string[] = [];
    client.mcp.fallbackNotificationHandler = async (notification) => void notified.push(JSON.stringify(notification));
    const abort = new AbortController();
    run = async (services) => {
      const { password } = await services.credential('reports', 'database');
      const { signal } = callContext();
      abort.abort();
      await until(() => signal.aborted);
      await server.server.notification({ method: 'notifications/x', params: { password } });
    };
    const asked = client.mcp.callTool({ name: 'work', arguments: {} }, undefined, { signal: abort.signal });
    await asked.catch(() => {});
    await until(() => notified.length === 1);
    expect(notified[0]).toContain('[redacted]');
    expect(notified[0]).not.toContain(own);
    await manager.advance(30_000);
    expect((await call(client, () => own)).text).toBe(own);
  });

  test('and is not looked for any longer than that', async () => {
    const own = 'not-for-long-1234567890';
    manager.setService('github', { ...github, credential: own });
    manager.setService('reports', { ...reports, credential: { ...database, password: own } });
    const client = await manager.connect(createServer(), ada);
    const during = await call(client, async (services) => {
      await services.fetch('github');
      await (await services.credential('reports')).end();
      await services.credential('reports');
      return own;
    });
    expect(during.text).toBe('[redacted]');
    expect((await call(client, () => own)).text).toBe(own);
  });

  test('also what a task sends that goes on after its call was answered', async () => {
    const own = 'only-in-a-task-1234567890';
    manager.setService('reports', { ...reports, credential: { ...database, password: own } });
    const server = new McpServer(
      { name: 'acme', version: '1.0.0' },
      { capabilities: { tasks: { requests: { tools: { call: {} } } } }, taskStore: new InMemoryTaskStore() },
    );
    let goOn = (): void => {};
    const answered = new Promise<void>((resolve) => (goOn = resolve));
    const handler = {
      async createTask(extra: { taskStore: RequestTaskStore }) {
        const { password } = await callContext().services.credential('reports', 'database');
        void answered.then(() => server.server.notification({ method: 'notifications/x', params: { password } }));
        return { task: await extra.taskStore.createTask({ pollInterval: 1 }) };
      },
    };
    server.experimental.tasks.registerToolTask('work', { execution: { taskSupport: 'required' } }, handler as never);
    const client = await manager.connect(manager.authsec({ logger }).protect(server), ada);
    const notified: string[] = [];
    client.mcp.fallbackNotificationHandler = async (notification) => void notified.push(JSON.stringify(notification));
    await client.mcp.request(
      { method: 'tools/call', params: { name: 'work', task: {} } },
      z.looseObject({ task: z.looseObject({}) }),
    );
    await until(() => manager.openLeases() === 0);
    goOn();
    await until(() => notified.some((one) => one.includes('notifications/x')));
    expect(notified.join('')).toContain('[redacted]');
    expect(notified.join('')).not.toContain(own);
  });

  test('also where another call that had it is over', async () => {
    const [one, two] = [await manager.connect(createServer(), ada), await manager.connect(createServer(), ada)];
    const { text } = await call(one, async (services) => {
      const { password } = await services.credential('reports', 'database');
      await call(two, async (others) => (await others.credential('reports')).type);
      return `still ${password}`;
    });
    expect(text).toBe('still [redacted]');
  });

  test('nor in what an object makes of itself when it is sent', async () => {
    class Failure extends Error {
      constructor(readonly config: object) {
        super('no');
      }
    }
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    server.registerTool('work', {}, async () => {
      const { password } = await callContext().services.credential('reports', 'database');
      const own = { toJSON: () => ({ password, at: new Date(0) }) };
      const structuredContent = {
        url: new URL(`postgres://v-ada:${password}@db.test/`),
        failure: new Failure({ password }),
        text: new String(password),
        own,
      };
      return { content: [], structuredContent };
    });
    const client = await manager.connect(manager.authsec({ logger }).protect(server), ada);
    const { structuredContent } = await client.callTool({ name: 'work' });
    expect(JSON.parse(JSON.stringify(structuredContent))).toEqual({
      url: 'postgres://v-ada:[redacted]@db.test/',
      failure: { config: { password: '[redacted]' } },
      text: '[redacted]',
      own: { password: '[redacted]', at: '1970-01-01T00:00:00.000Z' },
    });
  });

  test('nor a part of one in which another one stands', async () => {
    const longer = `${canary}-of-production`;
    manager.setService('others', { credential: { ...database, password: longer } });
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      await services.credential('reports');
      const { password } = await services.credential('others', 'database');
      return `with ${password}`;
    });
    expect(text).toBe('with [redacted]');
  });

  test('nor in the log of the SDK', async () => {
    const client = await manager.connect(createServer(), ada);
    await call(client, async (services) => {
      const { password } = await services.credential('reports', 'database');
      await client.mcp.callTool({ name: password, arguments: {} });
    });
    expect(logged.join('\n')).toContain('[redacted]');
    expect(logged.join('\n')).not.toContain('canary');
  });

  test('a value as large and as deep as a message may be is gone through', async () => {
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      const { password } = await services.credential('reports', 'database');
      return Array.from({ length: 10_000 }, () => password).join(' ');
    });
    expect(text.split(' ').every((one) => one === '[redacted]')).toBe(true);
  });
});

describe('a credential is decided anew each time', () => {
  test('a right that is taken away in the middle of a call gives no further one', async () => {
    const client = await manager.connect(createServer(), ada);
    const { said } = await call(client, async (services) => {
      await services.fetch('github');
      await manager.setPerson(ada, { roles: [] });
      await services.fetch('github');
    });
    expect(said).toMatchObject({ error: 'service_denied' });
  });

  test('a tool that is not the caller’s any more has none', async () => {
    const client = await manager.connect(createServer(), ada);
    const { said } = await call(
      client,
      async (services) => {
        await manager.setPerson(ada, { roles: [] });
        await services.credential('reports');
      },
      'work_of_developers',
    );
    expect(said).toMatchObject({ error: 'service_denied' });
    expect(manager.openLeases()).toBe(0);
  });

  test('a login that ended, or became another person’s, in the middle of a call has none', async () => {
    const client = await manager.connect(createServer(), ada);
    const signOut = await call(client, async (services) => {
      await client.signOut();
      await services.credential('reports');
    });
    expect(signOut.isError).toBe(true);
    await client.signIn(ada);
    const another = await call(client, async (services) => {
      await client.signIn(bob);
      await services.credential('reports');
    });
    expect(another.isError).toBe(true);
    await client.signIn(ada);
    const revoked = await call(client, async (services) => {
      await manager.revoke(ada);
      await services.credential('reports');
    });
    expect(revoked.isError).toBe(true);
    expect(manager.openLeases()).toBe(0);
  });

  test('nor has what was called by nobody, once somebody is signed in', async () => {
    const client = await manager.connect(createServer());
    const { said } = await call(
      client,
      async (services) => {
        await client.signIn(ada);
        await services.credential('reports');
      },
      'work_of_anyone',
    );
    expect(said).toMatchObject({ error: 'not_signed_in' });
    expect(manager.openLeases()).toBe(0);
  });

  test('while the rights of its caller cannot be judged there is none', async () => {
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      await manager.goAway();
      await manager.advance(31_000);
      return codeOf(services.fetch('github'));
    });
    expect(text).toBe('policy_unavailable');
    await manager.comeBack();
  });

  test('the secret before is tried once, however often a service says 401', async () => {
    const given: string[] = [];
    const answer = ({ headers }: Request) => {
      given.push(headers.get('authorization')!.slice('Bearer '.length));
      return new Response('', { status: 401 });
    };
    manager.setService('github', { ...github, previousCredential: 'the-one-before-123', answer });
    const client = await manager.connect(createServer(), ada);
    await call(client, async (services) => {
      const fetch = await services.fetch('github');
      for (const path of ['x', 'y', 'z']) await fetch(path);
    });
    expect(given).toEqual([canary, 'the-one-before-123', 'the-one-before-123', 'the-one-before-123']);
  });

  test('one that is kept too long is fetched again, and only then', async () => {
    manager.setService('github', { ...github, expiresInSeconds: 20 });
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => {
      const fetch = await services.fetch('github');
      manager.setService('github', { ...github, failure: 'secret_store_unavailable' });
      const before = (await fetch('x')).status;
      await manager.advance(21_000);
      return `${before} ${await codeOf(fetch('x'))}`;
    });
    expect(text).toBe('200 secret_store_unavailable');
  });
});

test('a certificate is shown by connections of its own, and its key is seen nowhere', async () => {
  const line = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg';
  const pem = (what: string) => `-----BEGIN ${what}-----\n${line}\n-----END ${what}-----\n`;
  manager.setService('github', {
    ...github,
    credential: {
      type: 'client_certificate',
      certificate: pem('CERTIFICATE').replace(line, 'MIIB-public'),
      private_key: pem('PRIVATE KEY'),
      certificate_authority: null,
    },
    answer: ({ headers }) => new Response(`${headers.get('authorization')} ${line} MIIB-public`),
  });
  const client = await manager.connect(createServer(), ada);
  const { text } = await call(client, async (services) => (await (await services.fetch('github'))('x')).text());
  expect(text).toBe('null [redacted] MIIB-public');
});

describe('where there is none', () => {
  test('before login nothing is asked', async () => {
    const client = await manager.connect(createServer());
    expect((await call(client, (services) => services.fetch('github'), 'work_of_anyone')).said).toMatchObject({
      error: 'not_signed_in',
    });
  });

  test.each([
    ['service_unavailable', 'service_unavailable'],
    ['secret_store_unavailable', 'secret_store_unavailable'],
    ['secret_store_denied', 'secret_store_denied'],
    ['secret_missing', 'secret_missing'],
    ['rate_limited', 'manager_unavailable'],
  ] as const)('the Manager’s %s is %s to the model, with what to do', async (failure, error) => {
    manager.setService('github', { ...github, failure });
    const client = await manager.connect(createServer(), ada);
    const { said } = await call(client, (services) => services.fetch('github'));
    expect(said).toEqual({ error, message: expect.any(String), next_step: expect.any(String) });
  });

  test('an account that is not connected is connected by a link, which the model is told', async () => {
    manager.setService('github', { ...github, connected: [bob] });
    const client = await manager.connect(createServer(), ada);
    const { said } = await call(client, (services) => services.fetch('github'));
    expect(said).toMatchObject({
      error: 'service_not_connected',
      connect_url: 'https://authsec.test/t/acme/connect/github',
      next_step: expect.stringContaining('connect_url'),
    });
  });

  test('what a tool makes of it itself is its answer', async () => {
    const client = await manager.connect(createServer(), ada);
    const { text, isError } = await call(client, async (services) => codeOf(services.fetch('nothing-here')));
    expect([text, isError]).toEqual(['service_unknown', false]);
  });

  test.each(['../github', 'github?x', 'GitHub', '__proto__', ''])('%j is no name that is asked for', async (name) => {
    manager.setService(name, { ...github, requirement: {} });
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, async (services) => codeOf(services.fetch(name)));
    expect(text).toBe('service_unknown');
  });

  test('a credential of another service than was asked for is not used, and its lease ends', async () => {
    const confused: typeof fetch = async (input, init) => {
      const answer = await manager.options.fetch(input, init);
      if (!new Request(input).url.endsWith('/v1/service-credentials')) return answer;
      const body = (await answer.json()) as { service: object };
      return Response.json({ ...body, service: { ...body.service, name: 'another' } }, { status: answer.status });
    };
    const { fetch: _, ...options } = manager.options;
    const { createLoginService } = await import('../../src/session/login-service.js');
    const { environmentFor } = await import('../../src/session/provided-environment.js');
    const service = createLoginService({ ...options, fetch: confused, logger }, environmentFor(manager.options.fetch));
    const { protectServer } = await import('../../src/protect-server.js');
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    server.registerTool('work', {}, async () => {
      const code = await codeOf(callContext().services.credential('reports'));
      return { content: [{ type: 'text', text: `${code} ${manager.openLeases()}` }] };
    });
    protectServer(server, { createSession: service.createSession, logger: service.log });
    const client = await manager.connect(server, ada);
    expect(await client.callTool({ name: 'work' })).toMatchObject({
      content: [{ text: expect.stringContaining('service_unavailable') }],
    });
    await until(() => manager.openLeases() === 0);
    await service.close();
  });

  test('a Manager that hangs is given up within 2.5 s', async () => {
    const hanging: typeof fetch = async (input, init) =>
      new Request(input).url.endsWith('/v1/service-credentials')
        ? new Promise<never>(() => {})
        : manager.options.fetch(input, init);
    const { fetch: _, ...options } = manager.options;
    const { createLoginService } = await import('../../src/session/login-service.js');
    const { environmentFor } = await import('../../src/session/provided-environment.js');
    const service = createLoginService({ ...options, fetch: hanging, logger }, environmentFor(manager.options.fetch));
    const { protectServer } = await import('../../src/protect-server.js');
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    server.registerTool('work', {}, async () => {
      await callContext().services.fetch('github');
      return { content: [] };
    });
    protectServer(server, { createSession: service.createSession, logger: service.log });
    const client = await manager.connect(server, ada);
    const before = performance.now();
    const answer = await client.callTool({ name: 'work' });
    expect(answer).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('manager_unavailable') }],
    });
    expect(performance.now() - before).toBeLessThan(10_000);
    await service.close();
  });
});

describe('a tool as a value', () => {
  test('has services in its context', async () => {
    const tool = protectedByAuthSec('work', {}, async (_, { services, signal }) => {
      const fetch = await services.fetch('github');
      return `${signal.aborted} ${JSON.stringify(await (await fetch('x')).json())}`;
    });
    const create = await prepareToolServers({ tools: [tool], name: 'acme', version: '1' }, manager.authsec({ logger }));
    const client = await manager.connect(create(), ada);
    expect(await client.callTool({ name: 'work' })).toMatchObject({
      content: [{ text: 'false {"got":"Bearer [redacted]"}' }],
    });
  });

  test('outside of a call there are none', () => {
    expect(() => callContext()).toThrow(expect.objectContaining({ code: 'not_guarded' }));
    expect(() => new ServiceAccessSDK()).toThrow(expect.objectContaining({ code: 'not_guarded' }));
  });
});

test('people of two tenants each have their own', async () => {
  const globex = await createTestManager({
    tenant: 'globex',
    people: { [ada]: {} },
    services: { github: { ...github, requirement: {}, credential: 'the-token-of-globex' } },
  });
  const tokens: string[] = [];
  const seeing = (request: Request) => {
    tokens.push(request.headers.get('authorization')!);
    return new Response('ok');
  };
  manager.setService('github', { ...github, answer: seeing });
  globex.setService('github', { credential: 'the-token-of-globex', answer: seeing });
  const servers = [manager, globex].map((one) => {
    const server = new McpServer({ name: 'acme', version: '1.0.0' });
    server.registerTool('work', {}, async () => {
      const fetch = await callContext().services.fetch('github');
      await new Promise<void>((resolve) => setImmediate(resolve));
      await fetch('x');
      return { content: [{ type: 'text', text: `${canary} the-token-of-globex` }] };
    });
    return one.connect(one.authsec({ logger }).protect(server), ada);
  });
  const clients = await Promise.all(servers);
  await Promise.all([0, 1, 0, 1, 0].map((index) => clients[index]!.callTool({ name: 'work' })));
  expect(tokens.filter((token) => token === `Bearer ${canary}`)).toHaveLength(3);
  expect(tokens.filter((token) => token === 'Bearer the-token-of-globex')).toHaveLength(2);
  await globex.close();
});

describe('ServiceAccessSDK', () => {
  test('has credentials, tokens, who is calling and whether all is well, under the names of the original', async () => {
    manager.setService('github', { ...github, rawCredential: true });
    const client = await manager.connect(createServer(), ada);
    let token: ServiceToken | undefined;
    const { text } = await call(client, async (services) => {
      const sdk = new ServiceAccessSDK({ services });
      const { credentials, ...about } = await sdk.getServiceCredentials('github');
      token = await sdk.getServiceToken('github');
      expect([credentials.reveal(), token.reveal()]).toEqual([{ type: 'bearer', token: canary }, canary]);
      expect([String(token), JSON.stringify({ token }), inspect(token)].join()).not.toContain(canary);
      const { service, email } = await sdk.getServiceUserDetails('github');
      const health = await sdk.healthCheck();
      await manager.goAway();
      const away = await sdk.healthCheck();
      await manager.comeBack();
      await sdk.close();
      return { about, service, email, health, away };
    });
    expect(JSON.parse(text)).toMatchObject({
      about: { service_name: 'github', service_type: 'bearer', auth_type: 'bearer', url: 'https://github.test/' },
      service: { name: 'github', base_url: 'https://github.test/' },
      email: ada,
      health: { status: 'healthy' },
      away: { status: 'unhealthy', reason: 'manager_unavailable' },
    });
    expect(() => token!.reveal()).toThrow(expect.objectContaining({ code: 'credential_escaped' }));
  });

  test('of what is no token there is none, and of another context neither', async () => {
    const client = await manager.connect(createServer(), ada);
    const { text } = await call(client, () => new ServiceAccessSDK().getServiceToken('reports'));
    expect(text).toContain('is not a token');
    await until(() => manager.openLeases() === 0);
    expect(() => new ServiceAccessSDK({ services: {} as Services })).toThrow(TypeError);
  });
});
