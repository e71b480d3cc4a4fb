import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { OpenBaoServer } from '@authsec/config/openbao';
import { provisionVault, vaultPlan } from '../../src/integrations/vault/provision-vault.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import type { SecretAddress, SecretStore } from '../../src/ports/secret-store.js';
import { until } from '../support/until.js';
import { failureOf } from './secret-store-contract.js';
import {
  asOperator,
  type CountingProxy,
  describeOpenBao,
  openBao,
  openCountingProxy,
  settingsFor,
  silent,
} from './vault-under-test.js';

/** What a person waits for at most; the store's own limit is 1.5 s. */
const limitMs = 2_500;

describeOpenBao('when a real Vault fails', () => {
  const plan = vaultPlan();
  let server: OpenBaoServer;
  let proxy: CountingProxy;
  let store: SecretStore;
  const [acme, beta] = [addressOf('acme'), addressOf('beta')];

  beforeAll(async () => {
    server = await openBao('raft');
    const login = await provisionVault({ address: server.address, token: server.rootToken }, plan);
    proxy = await openCountingProxy(server.address);
    store = await createVaultSecretStore(settingsFor({ address: proxy.address, plan }, login), { logger: silent });
    await store.write(acme, { token: 'of acme' }, { expectedVersion: 0 });
    await store.write(beta, { token: 'of beta' }, { expectedVersion: 0 });
  });
  beforeEach(() => until('it is well', async () => store.health().status === 'ok' && (await works())));
  afterAll(async () => {
    await store?.close();
    await proxy?.close();
    await server?.stop();
  });

  const works = async (): Promise<boolean> =>
    store.read(acme).then(
      ({ value }) => value['token'] === 'of acme',
      () => false,
    );
  const recoversWithin = async (ms: number): Promise<number> => {
    const from = performance.now();
    await until('it works again', works, ms);
    return performance.now() - from;
  };

  test('sealed in the middle of 1,000 calls and unsealed again: no wrong answer, and it works again within 5 s', async () => {
    const outcomes: string[] = [];
    let slowest = 0;
    const call = async (index: number): Promise<void> => {
      const from = performance.now();
      const [address, expected] = index % 2 ? [acme, 'of acme'] : [beta, 'of beta'];
      const outcome = await store.read(address).then(
        ({ value }) => (value['token'] === expected ? 'right' : 'wrong'),
        (error: { failure?: string }) => error.failure ?? 'untyped',
      );
      outcomes.push(outcome);
      slowest = Math.max(slowest, performance.now() - from);
    };
    for (let index = 0; index < 1_000; index += 20) {
      if (index === 500) await server.seal();
      await Promise.all(Array.from({ length: 20 }, (_, offset) => call(index + offset)));
    }
    expect(outcomes).toHaveLength(1_000);
    expect(new Set(outcomes)).toEqual(new Set(['right', 'unavailable']));
    expect(outcomes.slice(500)).not.toContain('right');
    expect(slowest).toBeLessThan(limitMs);
    await until('the reason is seen', () => store.health().reason === 'sealed');
    await server.unseal();
    report('recovery after unsealing', await recoversWithin(5_000));
    await until('it is seen to be well', () => store.health().status === 'ok');
  });

  test('restarted, and sealed by that, it works again within 5 s of being unsealed', async () => {
    await server.restart();
    expect(await failureOf(store.read(acme))).toBe('unavailable');
    await server.unseal();
    report('recovery after a restart', await recoversWithin(5_000));
  });

  test('stopped by SIGSTOP it is a typed error in time, at once for those who come later, and over by itself', async () => {
    server.signal('SIGSTOP');
    try {
      await until('it is stopped', () =>
        fetch(server.address, { signal: AbortSignal.timeout(300) }).then(
          () => false,
          () => true,
        ),
      );
      const from = performance.now();
      expect(await failureOf(store.read(acme))).toBe('unavailable');
      const first = performance.now() - from;
      expect(first).toBeLessThan(limitMs);
      report('typed error of a hung server', first);
      await Promise.all(Array.from({ length: 5 }, () => failureOf(store.read(beta))));
      const later = performance.now();
      await Promise.all(Array.from({ length: 20 }, () => failureOf(store.read(beta))));
      expect(performance.now() - later).toBeLessThan(limitMs);
      expect(store.health().status).toBe('degraded');
    } finally {
      server.signal('SIGCONT');
    }
    report('recovery after SIGCONT', await recoversWithin(5_000));
  });

  test('1,000 calls at once to a server that hangs are few requests, and all fail in time', async () => {
    proxy.hang();
    const before = proxy.seen.length;
    const from = performance.now();
    const failures = await Promise.all(Array.from({ length: 1_000 }, () => failureOf(store.read(acme))));
    const took = performance.now() - from;
    const asked = proxy.seen.length - before;
    proxy.heal();
    expect(new Set(failures)).toEqual(new Set(['unavailable']));
    expect(took).toBeLessThan(limitMs);
    expect(asked).toBeLessThan(60);
    report('requests that reached a hung server of 1,000 calls', asked);
    await recoversWithin(5_000);
  });

  test('while it hangs, calls that keep coming are about one request a second, not one each', async () => {
    proxy.hang();
    await Promise.all(Array.from({ length: 10 }, () => failureOf(store.read(acme))));
    const before = proxy.seen.length;
    const until = performance.now() + 3_000;
    let calls = 0;
    const caller = async (): Promise<void> => {
      while (performance.now() < until) {
        expect(await failureOf(store.read(acme))).toBe('unavailable');
        calls += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await Promise.all(Array.from({ length: 40 }, caller));
    const asked = proxy.seen.length - before;
    proxy.heal();
    report('requests in 3 s of calls to a hung server', asked);
    report('of so many calls', calls);
    // Looks at its health among them; each caller alone would have made three.
    expect(asked).toBeLessThan(15);
    expect(calls).toBeGreaterThan(60);
    await recoversWithin(5_000);
  });

  test("revoked, a tenant's token is replaced within the call", async () => {
    await asOperator(server, 'POST', `sys/leases/revoke-prefix/auth/${plan.mounts.tenants}/login`, {});
    expect((await store.read(acme)).value).toEqual({ token: 'of acme' });
  });

  test("revoked, the Manager's own token is replaced too", async () => {
    await asOperator(server, 'POST', `sys/leases/revoke-prefix/auth/${plan.mounts.tenants}/login`, {});
    await asOperator(server, 'POST', 'sys/leases/revoke-prefix/auth/approle/login', {});
    expect((await store.read(beta)).value).toEqual({ token: 'of beta' });
  });

  test.each(['default', ''])(
    'with the policies %j a tenant is denied, others are not, and it costs Vault little',
    async (policies) => {
      const role = `auth/${plan.mounts.tenants}/role/acme`;
      await asOperator(server, 'POST', role, { token_policies: policies });
      await asOperator(server, 'POST', `sys/leases/revoke-prefix/auth/${plan.mounts.tenants}/login`, {});
      const before = proxy.seen.length;
      for (let index = 0; index < 100; index += 1) {
        expect(await failureOf(store.read(acme))).toBe('denied');
        expect((await store.read(beta)).value).toEqual({ token: 'of beta' });
      }
      expect(proxy.seen.length - before).toBeLessThan(400);
      expect(store.health()).toEqual({ status: 'ok' });
      await asOperator(server, 'POST', role, { token_policies: 'authsec-tenant' });
      await asOperator(server, 'POST', `sys/leases/revoke-prefix/auth/${plan.mounts.tenants}/login`, {});
      expect(await recoversWithin(5_000)).toBeLessThan(5_000);
    },
  );

  test('a secret that the operator deleted is missing, a version too, and neither stands for a failing Vault', async () => {
    const address = addressOf('acme');
    const path = `acme/services/${address.serviceId}`;
    await store.write(address, { token: 'one' }, { expectedVersion: 0 });
    await store.write(address, { token: 'two' }, { expectedVersion: 1 });
    await asOperator(server, 'DELETE', `authsec/data/${path}`);
    expect(await failureOf(store.read(address))).toBe('missing');
    expect((await store.read(address, { version: 1 })).value).toEqual({ token: 'one' });
    await asOperator(server, 'DELETE', `authsec/metadata/${path}`);
    for (let index = 0; index < 20; index += 1) expect(await failureOf(store.read(address))).toBe('missing');
    expect(await works()).toBe(true);
  });

  test('what stands at the place of a secret and says that it is of another is not given out', async () => {
    const address = addressOf('acme');
    const path = `authsec/data/acme/services/${address.serviceId}`;
    const canary = { token: 'canary' };
    const others = [
      { address: `beta/services/${address.serviceId}`, value: canary },
      { address: `acme/services/${randomUUID()}`, value: canary },
      { value: canary },
      { address: `acme/services/${address.serviceId}`, value: { token: 1 } },
      canary,
    ];
    for (const data of others) {
      await asOperator(server, 'POST', path, { data });
      const error: unknown = await store.read(address).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ failure: 'foreign' });
      expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('canary');
    }
  });

  test('errors say what to do and hold no token, no value and no body', async () => {
    const error = (await store.read(addressOf('acme')).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toBe('reading a secret of acme: Vault answered 404');
    expect(error.cause).toBeUndefined();
    expect(Object.keys(error).sort((a, b) => a.localeCompare(b))).toEqual(['failure', 'name', 'refusal', 'status']);
  });

  function addressOf(tenantId: string): SecretAddress {
    return { tenantId, collection: 'services', serviceId: randomUUID() };
  }
});

/** For the record of a run, with AUTHSEC_TEST_FIGURES=1. */
function report(what: string, figure: number): void {
  if (process.env['AUTHSEC_TEST_FIGURES'] === '1') process.stderr.write(`figure: ${what}: ${Math.round(figure)}\n`);
}
