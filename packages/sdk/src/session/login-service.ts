import { createFetchTransport, parseIssuer } from '@authsec/manager-client';
import { createAuthorLog, type Logger } from '../author-log.js';
import { createIssuerKeys } from '../bearer/issuer-keys.js';
import { verifyAccessToken } from '../bearer/verify-access-token.js';
import { systemClock, type Clock } from '../clock.js';
import type { Manifests } from '../manifest/manifests.js';
import type { ToolDecision } from '../guard/observe-call.js';
import { createRememberedLogins } from '../remember/remembered-login.js';
import { stateFolderOf } from '../remember/state-folder.js';
import { createServiceNetwork, type ServiceNetwork } from '../services/service-network.js';
import { loadOpenTelemetry } from '../telemetry/open-telemetry.js';
import { traceTransport } from '../telemetry/trace-transport.js';
import type { CallerSession, GuardedServer } from './caller-session.js';
import { createInBandSession } from './in-band-session.js';
import type { LoginContext, LoginEnd } from './login-context.js';
import { createManagerAccesses } from './manager-access.js';
import { createPushLogin } from './push-login.js';
import { createTokenEndpoint } from './token-endpoint.js';

export interface AuthSecOptions {
  /** `https://<manager>/t/<tenant>`; http:// for loopback only. */
  issuer: string;
  clientId: string;
  /** Left out for a public client: a server on the person's own machine, which cannot keep one. */
  clientSecret?: string;
  /**
   * Where a login ends. `loopback`: the browser comes back to this process; `page`: the person carries a code. `auto`
   * (the default): loopback for a public client over stdio, else the page. Over stdio in a container or a remote shell
   * the browser cannot come back: say `page`.
   */
  login?: 'auto' | LoginEnd | undefined;
  /** Over stdio, as a public client: the login outlives the process, in a file that only this person can read. */
  rememberLogin?: boolean | undefined;
  /** Told why a tool is hidden or a call refused; with AUTHSEC_DEBUG=1 stderr is told too. */
  logger?: Logger | undefined;
  /** Told of each decision about a tool that is called or listed, with its reason. Never waited for; what it throws decides nothing. */
  onDecision?: ((decision: ToolDecision) => void) | undefined;
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
  /** Where remembered logins are kept. */
  readonly stateFolder?: string;
  readonly random?: () => number;
  /** How services are reached. */
  readonly network?: ServiceNetwork;
}

const optionNames: ReadonlySet<string> = new Set<keyof AuthSecOptions>([
  'issuer',
  'clientId',
  'clientSecret',
  'login',
  'rememberLogin',
  'logger',
  'onDecision',
  'timeoutMs',
  'fetch',
  'dangerouslyAllowHttp',
]);
const smallAnswerBytes = 256 * 1024;
const closeWithinMs = 5_000;

/** The logins of one issuer in one process: their keys, leases and the connection to the Manager. */
export interface LoginService {
  readonly log: Logger;
  /** Undefined for a public client, which publishes none. */
  readonly manifests: Manifests | undefined;
  /** One for each MCP transport session. */
  createSession(server: GuardedServer): CallerSession;
  /** Ends all sessions, here at once and at the Manager within 5 s. */
  close(): Promise<void>;
}

/** Throws a TypeError that names a bad option; nothing is sent before a server connects. */
export function createLoginService(options: AuthSecOptions, environment: AuthSecEnvironment): LoginService {
  assertOptions(options);
  void loadOpenTelemetry();
  const { clientId, clientSecret, login = 'auto', timeoutMs = 10_000 } = options;
  const { clock, stateFolder } = environment;
  const { fetch, dangerouslyAllowHttp } = options;
  const managerTransport = traceTransport(createFetchTransport({ fetch }));
  const client = {
    issuer: options.issuer,
    clientId,
    clientSecret,
    timeoutMs,
    fetch,
    transport: managerTransport,
    dangerouslyAllowHttp,
  };
  const issuer = parseIssuer(options.issuer, options);
  const log = createAuthorLog({ logger: options.logger, debug: environment.debug });
  const transport = traceTransport(createFetchTransport({ fetch, maxResponseBytes: smallAnswerBytes }));
  const keys = createIssuerKeys(issuer, transport, timeoutMs);
  const accesses = createManagerAccesses({ ...environment, client, log });
  const application = { issuer, clientId, clientSecret, transport, timeoutMs };
  const isPublic = clientSecret === undefined;
  const lock = { staleMs: 2 * timeoutMs + 10_000, patienceMs: timeoutMs + 5_000 };
  const context: LoginContext = {
    issuer,
    loginEndFor: (isLocal) => (login === 'auto' ? (isPublic && isLocal ? 'loopback' : 'page') : login),
    pushLogin: createPushLogin(application),
    tokens: createTokenEndpoint(application),
    verifyToken: (token, login) => verifyAccessToken(token, { issuer, clientId, keys, ...login }),
    accesses,
    remembered:
      options.rememberLogin && stateFolder !== undefined
        ? createRememberedLogins({ folder: stateFolder, issuer: issuer.issuer, clientId, log, lock })
        : undefined,
    network: environment.network ?? createServiceNetwork(),
    clock,
    log,
  };
  const sessions = new Set<CallerSession>();
  let closed: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const ending = [...sessions].map((session) => session.close());
    const late = new Promise<void>((resolve) => void clock.after(closeWithinMs, resolve));
    await Promise.race([Promise.all(ending), late]);
    await context.accesses.close(closeWithinMs);
    await Promise.race([context.network.close(), late]);
  }

  return {
    log,
    manifests: context.accesses.manifests,
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
  // oxlint-disable-next-line node/no-process-env -- it only says more to stderr
  debug: process.env['AUTHSEC_DEBUG'] === '1',
  // oxlint-disable-next-line node/no-process-env -- where the system has the person's state folder
  stateFolder: stateFolderOf(process.env),
});

function assertOptions(options: AuthSecOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options: must be an object');
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  if (unknown !== undefined) throw new TypeError(`${unknown}: no such option`);
  const { clientSecret, login, rememberLogin, logger, onDecision } = options;
  // A secret that was meant to be there must not make a public client of the application.
  if ('clientSecret' in options && (typeof clientSecret !== 'string' || clientSecret === '')) {
    throw new TypeError('clientSecret: must be a non-empty string; a public client leaves it out');
  }
  if (login !== undefined && !['auto', 'loopback', 'page'].includes(login)) {
    throw new TypeError("login: must be 'auto', 'loopback' or 'page'");
  }
  if (rememberLogin !== undefined && typeof rememberLogin !== 'boolean') {
    throw new TypeError('rememberLogin: must be true or false');
  }
  if (rememberLogin && clientSecret !== undefined) {
    throw new TypeError('rememberLogin: is for public clients, on the machine of their one person');
  }
  if (onDecision !== undefined && typeof onDecision !== 'function') {
    throw new TypeError('onDecision: must be a function');
  }
  const methods = ['debug', 'info', 'warn', 'error'] as const;
  if (logger !== undefined && methods.some((method) => typeof logger?.[method] !== 'function')) {
    throw new TypeError('logger: must have debug, info, warn and error');
  }
}
