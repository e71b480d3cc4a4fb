import type { DevCredentials } from './dev-credentials.js';
import type { DevFile, DevUrls } from './dev-file.js';

export interface ManagerEnvironment {
  readonly urls: DevUrls;
  readonly credentials: DevCredentials;
  readonly databaseUrl: string;
  readonly logLevel: string;
  /** How it reaches Vault; empty without one. */
  readonly vault: Readonly<Record<string, string>>;
}

export function managerEnv(settings: ManagerEnvironment): Record<string, string> {
  const { urls, credentials, databaseUrl, logLevel, vault } = settings;
  const { hostname, port } = new URL(urls.manager);
  return {
    AUTHSEC_URL: urls.manager,
    AUTHSEC_HOST: hostname,
    AUTHSEC_PORT: port,
    AUTHSEC_DATABASE_URL: databaseUrl,
    AUTHSEC_SEALING_KEYS: `${credentials.sealingKey.id}:${credentials.sealingKey.key.reveal()}`,
    AUTHSEC_COOKIE_KEYS: credentials.cookieKeys,
    AUTHSEC_LOG_LEVEL: logLevel,
    AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1',
    AUTHSEC_DANGEROUSLY_ALLOW_PRIVATE_ADDRESSES: '1',
    ...vault,
  };
}

export function demoEnv({ tenants }: DevFile, { demo }: DevUrls): Record<string, string> {
  const { hostname, port } = new URL(demo);
  const endpoints = tenants.map(({ tenant_id, issuer, application }) => ({
    tenant: tenant_id,
    issuer,
    clientId: application.client_id,
    clientSecret: application.client_secret,
  }));
  return {
    AUTHSEC_DEMO_HOST: hostname,
    AUTHSEC_DEMO_PORT: port,
    AUTHSEC_DEMO_ENDPOINTS: JSON.stringify(endpoints),
  };
}

/** What every child gets of ours: nothing of it is a setting of the Manager, or of Vault; OpenTelemetry's own are. */
export function inheritedEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const common = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'AUTHSEC_DEBUG'];
  const names = [...common, ...Object.keys(env).filter((name) => name.startsWith('OTEL_'))];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
