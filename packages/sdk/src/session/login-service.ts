import { createFetchTransport, createManagerClient, parseIssuer } from '@authsec/manager-client';
import { createAuthorLog, type Logger } from '../author-log.js';
import { createIssuerKeys } from '../bearer/issuer-keys.js';
import { verifyAccessToken } from '../bearer/verify-access-token.js';
import { systemClock, type Clock } from '../clock.js';
import { createGrantStore } from '../grants/grant-store.js';
import { createRevocations } from '../grants/revocations.js';
import type { CallerSession, GuardedServer } from './caller-session.js';
import { createExchangeCode } from './exchange-code.js';
import { createInBandSession } from './in-band-session.js';
import type { LoginContext } from './login-context.js';
import { createPushLogin } from './push-login.js';

export interface AuthSecOptions {
  /** `https://<manager>/t/<tenant>`; http:// for loopback only. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Told why a tool is hidden or a call refused; with AUTHSEC_DEBUG=1 stderr is told too. */
  logger?: Logger | undefined;
  /** Milliseconds for one request to the Manager; 10,000 unless told. */
  timeoutMs?: number | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** Lifts 'http:// for loopback only'. */
  dangerouslyAllowHttp?: boolean | undefined;
}

/** What tests replace. */
export interface AuthSecEnvironment {
  readonly clock: Clock;
  readonly debug: boolean;
  readonly random?: () => number;
}

const optionNames: ReadonlySet<string> = new Set<keyof AuthSecOptions>([
  'issuer',
  'clientId',
  'clientSecret',
  'logger',
  'timeoutMs',
  'fetch',
  'dangerouslyAllowHttp',
]);
const smallAnswerBytes = 256 * 1024;
const closeWithinMs = 5_000;

/** The logins of one issuer in one process: their keys, leases and the connection to the Manager. */
export interface LoginService {
  readonly log: Logger;
  /** One for each MCP transport session. */
  createSession(server: GuardedServer): CallerSession;
  /** Ends all sessions, here at once and at the Manager within 5 s. */
  close(): Promise<void>;
}

/** Throws a TypeError that names a bad option; nothing is sent before the first login. */
export function createLoginService(options: AuthSecOptions, environment: AuthSecEnvironment): LoginService {
  assertOptions(options);
  const { clientId, clientSecret, timeoutMs = 10_000 } = options;
  const { clock } = environment;
  const manager = createManagerClient({
    issuer: options.issuer,
    clientId,
    clientSecret,
    timeoutMs,
    fetch: options.fetch,
    dangerouslyAllowHttp: options.dangerouslyAllowHttp,
  });
  const issuer = parseIssuer(options.issuer, options);
  const log = createAuthorLog({ logger: options.logger, debug: environment.debug });
  const transport = createFetchTransport({ fetch: options.fetch, maxResponseBytes: smallAnswerBytes });
  const keys = createIssuerKeys(issuer, transport, timeoutMs);
  const application = { issuer, clientId, clientSecret, transport, timeoutMs };
  const shared = { sessions: manager.sessions, changes: manager.changes, log, ...environment };
  const context: LoginContext = {
    issuer,
    sessions: manager.sessions,
    pushLogin: createPushLogin(application),
    exchangeCode: createExchangeCode(application),
    verifyToken: (token, login) => verifyAccessToken(token, { issuer, clientId, keys, ...login }),
    grants: createGrantStore(shared),
    revocations: createRevocations(shared),
    clock,
    log,
  };
  const sessions = new Set<CallerSession>();
  let closed: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const ending = [...sessions].map((session) => session.close());
    const late = new Promise<void>((resolve) => void clock.after(closeWithinMs, resolve));
    await Promise.race([Promise.all(ending), late]);
    context.grants.close();
    await context.revocations.close(closeWithinMs);
  }

  return {
    log,
    createSession(server) {
      const session = createInBandSession(context, server);
      const tracked: CallerSession = {
        ...session,
        async close() {
          sessions.delete(tracked);
          await session.close();
        },
      };
      if (closed) throw new TypeError('authsec() is closed');
      sessions.add(tracked);
      return tracked;
    },
    close: () => (closed ??= closeAll()),
  };
}

export const systemEnvironment = (): AuthSecEnvironment => ({
  clock: systemClock,
  // oxlint-disable-next-line node/no-process-env -- the one variable that a library may read: it only says more to stderr
  debug: process.env['AUTHSEC_DEBUG'] === '1',
});

function assertOptions(options: AuthSecOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options: must be an object');
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  if (unknown !== undefined) throw new TypeError(`${unknown}: no such option`);
  const { logger } = options;
  const methods = ['debug', 'info', 'warn', 'error'] as const;
  if (logger !== undefined && methods.some((method) => typeof logger?.[method] !== 'function')) {
    throw new TypeError('logger: must have debug, info, warn and error');
  }
}
