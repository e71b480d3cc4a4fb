import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ServiceSettings, ServiceView } from '@authsec/manager-client/contract';
import type { DevCredentials } from './dev-credentials.js';
import type { DevUrls } from './dev-file.js';
import { demoTenants, type SeedServices, type SeedTenant } from './seed-data.js';
import type { SeedMark } from './seed-mark.js';
import type { ProvisionedVault } from './dev-vault.js';
import { reportsDatabaseOf, seedReports } from './seed-reports.js';
import { type StateDirectory, writePrivateFile } from './state-directory.js';
import { connectTenantApi, type TenantApi } from './tenant-api.js';

export interface SeedServicesOptions {
  readonly urls: DevUrls;
  readonly credentials: DevCredentials;
  readonly state: StateDirectory;
  /** Superuser URL of the server where the reports are. */
  readonly serverUrl: string;
  /** Undefined: the secrets are sealed, and no service needs more. */
  readonly vault: ProvisionedVault | undefined;
  /** Of the databases that run. */
  readonly mark: SeedMark;
}

interface SeededService {
  readonly name: string;
  readonly description: string;
  readonly base_url?: string;
  readonly settings: ServiceSettings;
  readonly requirement: SeedServices['github']['requirement'];
  readonly applications: readonly string[];
  readonly raw_credential: boolean;
  readonly allow_private_addresses: boolean;
  readonly health_path: string | null;
  readonly secret: Readonly<Record<string, string>>;
}

const seeded = ['github', 'reports'];

/**
 * Through the API of the running Manager, as a tenant's own people would. Nothing is asked where an earlier start did it:
 * what was changed by hand stays.
 */
export async function seedServices(options: SeedServicesOptions): Promise<void> {
  const { state, serverUrl, credentials, vault, mark } = options;
  const markFile = join(state.path, 'services');
  const done = await readMark(markFile);
  const now: ServicesMark = { store: vault ? vault.identity : 'sealed', mark };
  if (now.store !== undefined && isDeepStrictEqual(done, now)) return;
  // The secrets are not where they were: the services are made anew.
  const storeChanged = done !== undefined && (done.store !== now.store || now.store === undefined);
  if (vault) await seedReports(serverUrl, credentials);
  await Promise.all(demoTenants.map((tenant) => seedTenantServices(tenant, storeChanged, options)));
  await writePrivateFile(markFile, JSON.stringify(now));
}

interface ServicesMark {
  /** Undefined where nobody knows whether it keeps what is written. */
  readonly store?: string | undefined;
  readonly mark: SeedMark;
}

async function readMark(path: string): Promise<ServicesMark | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ServicesMark;
  } catch {
    return undefined;
  }
}

async function seedTenantServices(
  { tenantId, demo }: SeedTenant,
  storeChanged: boolean,
  options: SeedServicesOptions,
): Promise<void> {
  if (!demo) return;
  const { urls, credentials } = options;
  const api = await connectTenantApi(urls.manager, tenantId, credentials.client(tenantId, 'dev-admin'));
  const { services } = (await api.request('GET', 'services')) as { services: ServiceView[] };
  const wanted = servicesOf(tenantId, demo.services, options);
  const names = new Set(wanted.map(({ name }) => name));
  const kept = services.filter(({ name }) => !seeded.includes(name) || (!storeChanged && names.has(name)));
  for (const { id } of services.filter((service) => !kept.includes(service))) {
    await api.request('DELETE', `services/${id}`);
  }
  for (const service of wanted) {
    const found = kept.find(({ name }) => name === service.name);
    await seedService(api, service, found);
  }
}

/** Ports may be others at each start: the secret is then given again, since it goes elsewhere. */
async function seedService(api: TenantApi, wanted: SeededService, found: ServiceView | undefined): Promise<void> {
  if (!found) return void (await api.request('POST', 'services', wanted));
  const place = ({ base_url, settings }: Pick<SeededService, 'settings'> & { base_url?: string | null }) => {
    return [base_url ?? null, settings.kind === 'database' ? [settings.host, settings.port] : null];
  };
  if (isDeepStrictEqual(place(wanted), place(found))) return;
  const { base_url, settings, secret } = wanted;
  await api.request('PATCH', `services/${found.id}`, { ...(base_url !== undefined && { base_url }), settings, secret });
}

function servicesOf(
  tenantId: string,
  { github, reports }: SeedServices,
  { urls, credentials, serverUrl, vault }: SeedServicesOptions,
): readonly SeededService[] {
  const common = { applications: [credentials.client(tenantId, 'demo-mcp').clientId], allow_private_addresses: true };
  const api: SeededService = {
    ...common,
    name: 'github',
    description: 'The repositories of the organisation, at the development API',
    base_url: `${urls.providers}/github`,
    settings: { kind: 'bearer' },
    requirement: github.requirement,
    raw_credential: false,
    health_path: '/user',
    secret: { token: credentials.gitHubToken(tenantId) },
  };
  if (!vault) return [api];
  const { username, password, creationStatements, revocationStatements, ...place } = reportsDatabaseOf(
    tenantId,
    serverUrl,
    credentials,
  );
  const db: SeededService = {
    ...common,
    name: 'reports',
    description: 'Sales figures: an account of its own for each call, gone after it',
    settings: {
      kind: 'database',
      ...place,
      tls: 'disable',
      creation_statements: [...creationStatements],
      revocation_statements: [...revocationStatements],
      ttl_seconds: 60,
    },
    requirement: reports.requirement,
    raw_credential: true,
    health_path: null,
    secret: { username, password },
  };
  return [api, db];
}
