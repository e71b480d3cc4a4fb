import { expect, test } from '@jest/globals';
import { createLogger } from '../../../src/integrations/logger.js';
import { createTelemetry } from '../../../src/integrations/telemetry/create-telemetry.js';
import { observeSecretStore } from '../../../src/integrations/telemetry/observe-secret-store.js';
import { type SecretStore, SecretStoreError, type SecretStoreHealth } from '../../../src/ports/secret-store.js';
import type { TelemetryEvent } from '../../../src/ports/telemetry.js';
import { createMetricsReader } from './metrics-reader.js';

const address = { tenantId: 'acme', collection: 'services', serviceId: 'canary-id' } as const;

function storeThat(read: SecretStore['read'], databases?: SecretStore['databases']): SecretStore {
  const nothing = async () => {};
  return {
    kind: 'vault',
    read,
    currentVersion: async () => 1,
    write: async () => 2,
    destroyVersion: nothing,
    destroy: nothing,
    ensureTenant: nothing,
    health: () => ({ status: 'degraded', reason: 'sealed' }),
    databases,
    close: nothing,
  };
}

test('each call is recorded with what came of it, and with nothing of what went in or out', async () => {
  const events: TelemetryEvent[] = [];
  let failure: Error | undefined;
  const store = observeSecretStore(
    storeThat(async () => {
      if (failure) throw failure;
      return { value: { token: 'canary-token' }, version: 3 };
    }),
    { record: (event) => events.push(event) },
  );
  expect(await store.read(address, { version: 3 })).toEqual({ value: { token: 'canary-token' }, version: 3 });
  expect(await store.write(address, { token: 'canary-token' }, { expectedVersion: 1 })).toBe(2);
  for (failure of [new SecretStoreError('denied', 'canary-message'), new Error('canary-message')]) {
    await expect(store.read(address)).rejects.toBe(failure);
  }
  expect(events).toEqual(
    [
      ['read', 'ok'],
      ['write', 'ok'],
      ['read', 'denied'],
      ['read', 'unavailable'],
    ].map(([operation, outcome]) => ({
      kind: 'secret_store_call',
      store: 'vault',
      operation,
      outcome,
      seconds: expect.any(Number),
    })),
  );
  expect(JSON.stringify(events)).not.toContain('canary');
});

test('a store without databases stays one', () => {
  expect(
    observeSecretStore(
      storeThat(async () => ({ value: {}, version: 1 })),
      { record() {} },
    ).databases,
  ).toBeUndefined();
});

test('its health, and all else that can be read, is in the metrics while something else cannot be read', async () => {
  const reader = createMetricsReader();
  const telemetry = await createTelemetry({
    config: { traces: false, metrics: false, metricsServer: undefined, tenantLabel: false },
    logger: createLogger('silent'),
    outlets: { metricReaders: [reader] },
  });
  let health: SecretStoreHealth = { status: 'degraded', reason: 'sealed' };
  telemetry.watch({
    openTenants: () => 3,
    maxOpenTenants: 50,
    openPolls: () => 4,
    activeSessions: () => Promise.reject(new Error('the database is away')),
    tenantsBehind: async () => 2,
    secretStore: () => ({ kind: 'vault', health }),
  });
  const first = await reader.read();
  expect(first.get('authsec.secret_store.up')).toEqual([{ attributes: { store: 'vault' }, value: 0 }]);
  expect(first.get('authsec.tenants.behind')).toEqual([{ attributes: {}, value: 2 }]);
  expect(first.get('authsec.polls.open')).toEqual([{ attributes: {}, value: 4 }]);
  expect(first.get('authsec.sessions.active') ?? []).toEqual([]);
  health = { status: 'ok' };
  expect((await reader.read()).get('authsec.secret_store.up')).toEqual([{ attributes: { store: 'vault' }, value: 1 }]);
  await telemetry.close();
});

test('with the option, what is counted by tenant says which; without it, nothing does', async () => {
  for (const tenantLabel of [true, false]) {
    const reader = createMetricsReader();
    const telemetry = await createTelemetry({
      config: { traces: false, metrics: false, metricsServer: undefined, tenantLabel },
      logger: createLogger('silent'),
      outlets: { metricReaders: [reader] },
    });
    telemetry.record({ kind: 'session_started', tenantId: 'acme' });
    telemetry.record({ kind: 'decision', tenantId: 'acme', allowed: true, code: 'allowed', seconds: 0.1 });
    const read = await reader.read();
    const own = tenantLabel ? { 'authsec.tenant.id': 'acme' } : {};
    expect(read.get('authsec.sessions.started')).toEqual([{ attributes: own, value: 1 }]);
    expect(read.get('authsec.decisions')).toEqual([
      { attributes: { outcome: 'allowed', code: 'allowed', ...own }, value: 1 },
    ]);
    expect(read.get('authsec.decision.duration')?.map(({ attributes }) => attributes)).toEqual([
      { outcome: 'allowed' },
    ]);
    await telemetry.close();
  }
});
