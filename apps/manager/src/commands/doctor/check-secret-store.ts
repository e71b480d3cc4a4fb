import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../container.js';
import { type Finding, fail, ok } from './finding.js';

/** The store says what it last saw: it is given a moment to see something. */
const patienceMs = 3_000;

export async function checkSecretStore({ secrets }: Pick<Container, 'secrets'>): Promise<Finding[]> {
  const name = secrets.kind === 'vault' ? 'Vault' : "sealed in the tenants' databases";
  const deadline = performance.now() + patienceMs;
  let health = secrets.health();
  while (health.status !== 'ok' && performance.now() < deadline) {
    await delay(50);
    health = secrets.health();
  }
  return health.status === 'ok'
    ? [ok('secret store', name)]
    : [fail('secret store', `${name}: ${health.reason ?? 'degraded'}`, 'docs/vault.md, "when it is not well"')];
}
