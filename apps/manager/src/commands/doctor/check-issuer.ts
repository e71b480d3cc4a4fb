import { issuerOf } from '../../authorization/issuer.js';
import type { Config } from '../../config/load-config.js';
import { describeError } from '../command-context.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Whether the public URL leads here: as a client of it sees it, from this machine. */
export async function checkIssuer({ url }: Config, systemTenantId: string | undefined): Promise<Finding[]> {
  if (systemTenantId === undefined) return [];
  const issuer = issuerOf(url, systemTenantId);
  try {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(5_000),
      redirect: 'manual',
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      return [fail('issuer', `${issuer} answers ${answer.status}`, 'the proxy must pass every path on, unchanged')];
    }
    const told = ((await answer.json()) as { issuer?: unknown }).issuer;
    return told === issuer
      ? [ok('issuer', `${issuer} answers, and is what it says it is`)]
      : [fail('issuer', `${issuer} says that it is ${String(told)}`, 'AUTHSEC_URL must be the same on every replica')];
  } catch (error) {
    const advice = 'start it (serve); then its name, certificate, proxy and firewall';
    return [warn('issuer', `not reachable from here: ${describeError(error)}`, advice)];
  }
}
