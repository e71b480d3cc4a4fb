import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';
import type { TelemetrySources } from '../../ports/telemetry.js';

/** What costs a query is asked again only after this. */
const recheckMs = 30_000;

/** What is read when metrics are collected. */
export function createGauges(meter: Meter, sources: TelemetrySources): void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });
  const observe = (name: string, unit: string, description: string, read: () => number | Promise<number>) =>
    gauge(name, unit, description).addCallback(async (result) => result.observe(await read()));

  observe('authsec.tenant.databases.open', '{database}', 'Tenant databases that are open', sources.openTenants);
  observe('authsec.tenant.databases.limit', '{database}', 'How many may be', () => sources.maxOpenTenants);
  observe('authsec.polls.open', '{poll}', 'Open polls of the change feed', sources.openPolls);
  observe(
    'authsec.sessions.active',
    '{session}',
    'Live sessions of the tenants whose databases are open',
    remember(sources.activeSessions),
  );
  observe(
    'authsec.tenants.behind',
    '{tenant}',
    'Tenants whose schema is older than the code',
    remember(sources.tenantsBehind),
  );
  gauge('authsec.secret_store.up', '', '1 while the secret store answers as it should').addCallback((result) => {
    const { kind, health } = sources.secretStore();
    result.observe(health.status === 'ok' ? 1 : 0, { store: kind });
  });

  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  observe('nodejs.eventloop.delay.p99', 's', 'Event loop delay, 99th percentile since the last collection', () => {
    const seconds = Number.isFinite(delay.percentile(99)) ? delay.percentile(99) / 1e9 : 0;
    delay.reset();
    return seconds;
  });
  observe('process.memory.usage', 'By', 'Resident memory', () => process.memoryUsage.rss());
}

/** The last answer while it is young enough; who asks meanwhile waits for the same one. */
function remember(read: () => Promise<number>): () => Promise<number> {
  let last: { readonly at: number; readonly answer: Promise<number> } | undefined;
  return () => {
    const now = performance.now();
    if (!last || now - last.at > recheckMs) {
      last = { at: now, answer: read() };
      last.answer.catch(() => (last = undefined));
    }
    return last.answer;
  };
}
