import type { Attributes, Meter } from '@opentelemetry/api';
import type { Config } from '../../config/load-config.js';
import type { Telemetry, TelemetryEvent } from '../../ports/telemetry.js';

export interface Instruments {
  readonly record: Telemetry['record'];
  requestEnded(request: { method: string; route: string; status: number; seconds: number }): void;
}

/** Seconds, of what is answered from a database. */
const boundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const fast = { unit: 's', advice: { explicitBucketBoundaries: boundaries } };

/** Each metric that events make, by its name; docs/telemetry.md, the dashboard and the alerts are held to them by a test. */
export function createInstruments(
  meter: Meter,
  { tenantLabel }: Pick<Config['telemetry'], 'tenantLabel'>,
): Instruments {
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const seconds = (name: string, description: string) => meter.createHistogram(name, { ...fast, description });

  const requests = seconds('http.server.request.duration', 'Duration of HTTP requests');
  const decisions = counter('authsec.decisions', '{decision}', 'Decisions, by what came of them');
  const decisionTook = seconds('authsec.decision.duration', 'Time to a decision, its record included');
  const started = counter('authsec.sessions.started', '{session}', 'Logins that were approved');
  const ended = counter('authsec.sessions.ended', '{session}', 'Sessions that were ended, by the reason');
  const logins = counter('authsec.logins', '{login}', 'Sign-ins, by their method and what came of them');
  const pushes = seconds(
    'authsec.change.push.delay',
    'From a change of rights or sessions to the answer that tells of it',
  );
  const refused = counter('authsec.rate_limit.refused', '{request}', 'Requests over a limit, by the limit');
  const closed = counter('authsec.tenant.databases.closed', '{database}', 'Tenant databases that were put away');
  const notOpened = counter('authsec.tenant.databases.failed', '{database}', 'Tenant databases that did not open');
  const secretCalls = seconds('authsec.secret_store.duration', 'Calls of the secret store, by what came of them');

  // What was never counted cannot be seen to rise: the first failure would be missed.
  notOpened.add(0);
  for (const why of ['evicted', 'idle', 'changed']) closed.add(0, { why });
  if (!tenantLabel) ended.add(0, { reason: 'expired' });

  const ofTenant = (tenantId: string): Attributes => (tenantLabel ? { 'authsec.tenant.id': tenantId } : {});

  function record(event: TelemetryEvent): void {
    switch (event.kind) {
      case 'decision':
        decisions.add(1, {
          outcome: event.allowed ? 'allowed' : 'denied',
          code: event.code,
          ...ofTenant(event.tenantId),
        });
        return decisionTook.record(event.seconds, { outcome: event.allowed ? 'allowed' : 'denied' });
      case 'session_started':
        return started.add(1, ofTenant(event.tenantId));
      case 'sessions_ended':
        return ended.add(event.count, { reason: event.reason, ...ofTenant(event.tenantId) });
      case 'login':
        return logins.add(1, { method: event.method, outcome: event.outcome, ...ofTenant(event.tenantId) });
      case 'change_pushed':
        return pushes.record(event.seconds, { waited: event.waited });
      case 'rate_limited':
        return refused.add(1, { limit: event.limit });
      case 'tenant_closed':
        return closed.add(1, { why: event.why });
      case 'tenant_open_failed':
        return notOpened.add(1);
      case 'secret_store_call':
        return secretCalls.record(event.seconds, {
          store: event.store,
          operation: event.operation,
          outcome: event.outcome,
        });
    }
  }

  return {
    record,
    requestEnded: ({ method, route, status, seconds: took }) =>
      requests.record(took, {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      }),
  };
}
