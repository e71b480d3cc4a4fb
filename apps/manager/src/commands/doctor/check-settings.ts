import type { Config } from '../../config/load-config.js';
import { environmentSchema, secretVariables } from '../../config/schema.js';
import type { Secret } from '../../config/secret.js';
import { decodePart } from '../database-errors.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Passwords that are tried first. */
const guessed = new Set(['', 'postgres', 'password', 'admin', 'authsec', 'changeme', 'change-me', 'secret', 'root']);
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/** What the settings allow that they should not. */
export function checkSettings(config: Config, env: Readonly<Record<string, string | undefined>>): Finding[] {
  return [
    ok('settings', 'every variable is valid'),
    ...checkNames(env),
    ...checkAddress(config),
    ...checkPasswords(config),
    ...checkKeys(config),
  ];
}

/** What is written in a wrong way has no effect, and nothing says so. */
function checkNames(env: Readonly<Record<string, string | undefined>>): Finding[] {
  const known = new Set([...Object.keys(environmentSchema.shape), ...secretVariables.map((name) => `${name}_FILE`)]);
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('AUTHSEC_') && !known.has(name) && !ofOthers.test(name),
  );
  return unknown.length === 0
    ? []
    : [warn('settings', `no such setting, without any effect: ${unknown.join(', ')}`, 'docs/configuration.md')];
}

/** Those of `bootstrap`, of the demo and of tests, and what Kubernetes sets for services. */
const ofOthers = /^AUTHSEC_(MANAGER|BOOTSTRAP|DEMO|TEST|REQUIRE|BAO|DEBUG)(_|$)|_SERVICE_(HOST|PORT)|_PORT_\d/;

function checkAddress(config: Config): Finding[] {
  const { url, host, tls, trustedProxies, dangerouslyAllowHttp, dangerouslyAllowPrivateAddresses } = config;
  const found: Finding[] = [];
  if (dangerouslyAllowHttp) {
    const advice = 'serve it by https, then take AUTHSEC_DANGEROUSLY_ALLOW_HTTP away';
    const text = `AUTHSEC_DANGEROUSLY_ALLOW_HTTP is on, the issuer is ${new URL(url).protocol}//…`;
    found.push(loopback.has(new URL(url).hostname) ? warn('http', text, advice) : fail('http', text, advice));
  }
  if (dangerouslyAllowPrivateAddresses) {
    const text = 'AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES is on: who may configure a provider reaches your network';
    found.push(warn('private addresses', text, 'take it away unless a provider of your own needs it'));
  }
  if (config.vault?.dangerouslyAllowRootToken) {
    const text = 'AUTHSEC_DANGEROUSLY_ALLOW_VAULT_ROOT_TOKEN is on';
    found.push(fail('vault token', text, 'give it a role of its own: docs/vault.md'));
  }
  if (!tls && trustedProxies.length === 0 && !loopback.has(host)) {
    const advice = 'name your proxies in AUTHSEC_TRUSTED_PROXIES, or set AUTHSEC_TLS_CERT_FILE where there is none';
    found.push(warn('proxy', 'no proxy is trusted and TLS ends elsewhere: all clients count as one address', advice));
  } else {
    const proxies = trustedProxies.length === 0 ? 'no proxy' : `proxies ${trustedProxies.join(', ')}`;
    found.push(ok('proxy', `${tls ? 'TLS by itself' : 'plain http behind what ends TLS'}; trusts ${proxies}`));
  }
  if (trustedProxies.some((entry) => entry.endsWith('/0'))) {
    const advice = 'name the subnet that your proxies are in';
    found.push(fail('proxy', 'every address is trusted as a proxy: anyone chooses the address that counts', advice));
  }
  return found;
}

function checkPasswords({ masterDatabaseUrl, tenantDatabaseUrl }: Config): Finding[] {
  const isGuessed = (url: Secret) => guessed.has(decodePart(new URL(url.reveal()).password).toLowerCase());
  return [masterDatabaseUrl, tenantDatabaseUrl].some(isGuessed)
    ? [fail('passwords', "the database role's password is one that is tried first", 'openssl rand -hex 24; ALTER ROLE')]
    : [ok('passwords', 'no default password is in use')];
}

function checkKeys({ sealingKeys, cookieKeys }: Config): Finding[] {
  const ids = sealingKeys.map(({ id }) => id).join(', ');
  return [ok('keys of the settings', `sealing keys ${ids || 'by Vault'}; ${cookieKeys.length} cookie key(s)`)];
}
