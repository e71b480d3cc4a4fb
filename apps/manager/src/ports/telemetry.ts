import type { RequestFacts } from './current-request.js';
import type { SecretStoreFailure, SecretStoreHealth } from './secret-store.js';

export type LoginMethod = 'password' | 'oidc' | 'oauth2' | 'pasted';

/** One thing that happened. Texts are codes of ours, but for `tenantId`: never what somebody sent. */
export type TelemetryEvent =
  | {
      readonly kind: 'decision';
      readonly tenantId: string;
      readonly allowed: boolean;
      readonly code: string;
      readonly seconds: number;
    }
  | { readonly kind: 'session_started'; readonly tenantId: string }
  | {
      readonly kind: 'sessions_ended';
      readonly tenantId: string;
      readonly reason: string;
      readonly count: number;
    }
  | {
      readonly kind: 'login';
      readonly tenantId: string;
      readonly method: LoginMethod;
      readonly outcome: 'success' | 'refused' | 'denied' | 'failed' | 'not_admitted' | 'rate_limited';
    }
  /** A poll told of a change, so long after it was made; `waited`: the poll was open when it was. */
  | { readonly kind: 'change_pushed'; readonly waited: boolean; readonly seconds: number }
  | { readonly kind: 'rate_limited'; readonly limit: string }
  | { readonly kind: 'tenant_closed'; readonly why: 'evicted' | 'idle' | 'changed' }
  | { readonly kind: 'tenant_open_failed' }
  | {
      readonly kind: 'secret_store_call';
      readonly store: string;
      readonly operation: string;
      readonly outcome: 'ok' | SecretStoreFailure;
      readonly seconds: number;
    };

/** What is asked when it is wanted; what cannot be read just now rejects, and is left out. */
export interface TelemetrySources {
  readonly openTenants: () => number;
  readonly maxOpenTenants: number;
  readonly openPolls: () => number;
  /** Of the tenants whose databases are open here. */
  readonly activeSessions: () => Promise<number>;
  /** Tenants whose schema is older than this Manager's. */
  readonly tenantsBehind: () => Promise<number>;
  readonly secretStore: () => { readonly kind: string; readonly health: SecretStoreHealth };
}

/** The part of a trace that one HTTP request is. */
export interface RequestTrace {
  /** 32 hexadecimal digits; undefined where there is no trace. */
  readonly traceId: string | undefined;
  /** Of this part, where it is sent somewhere. */
  readonly spanId?: string | undefined;
  run<Result>(run: () => Result): Result;
  /** `route` is a template: nothing that was sent stands in it. */
  end(answer: { readonly route: string; readonly status: number; readonly facts: RequestFacts }): void;
}

/** What the Manager tells of itself to those who run it. Nothing of it ever fails for who calls it. */
export interface Telemetry {
  record(event: TelemetryEvent): void;
  traceRequest(request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    /** `http` or `https`, as it came to the proxy where there is one. */
    readonly scheme?: string;
    /** Of a probe, which is neither traced nor counted. */
    readonly isProbe?: boolean;
  }): RequestTrace;
  /** Said once, when there is something to be asked. */
  watch(sources: TelemetrySources): void;
  /** Sends what is left, for some seconds at most. */
  close(): Promise<void>;
}

const traceParent = /^[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id of a `traceparent` header (W3C Trace Context), where it is one. */
export function traceIdOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? traceParent.exec(header)?.[1] : undefined;
}

/** Telemetry that is off: the trace of the one who asked still stands in the log. */
export const noTelemetry: Telemetry = {
  record() {},
  traceRequest: ({ headers }) => ({
    traceId: traceIdOf(headers['traceparent']),
    run: (run) => run(),
    end() {},
  }),
  watch() {},
  close: async () => {},
};
