import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ServiceSettings, ServiceView } from '@authsec/manager-client/contract';
import type { DevCredentials } from './dev-credentials.js';
import type { DevUrls } from './dev-file.js';
import { demoTenants, type SeedServices } from './seed-data.js';
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

/** Through the API of the running Manager, as a tenant's own people would; what was changed by hand stays. */
export async function seedServices(options: SeedServicesOptions): Promise<void> {
  const { state, urls, credentials, serverUrl, vault } = options;
  const markFile = join(state.path, 'secret-store');
  const store = vault ? vault.identity : 'sealed';
  // The secrets are not where they were: the services are made anew.
  const storeChanged = store === undefined || store !== (await readFile(markFile, 'utf8').catch(() => store));
  if (vault) await seedReports(serverUrl, credentials);
  await Promise.all(
    demoTenants.map(async ({ tenantId, demo }) => {
      if (!demo) return;
      const api = await connectTenantApi(urls.manager, tenantId, credentials.client(tenantId, 'dev-admin'));
      const { services } = (await api.request('GET', 'services')) as { services: ServiceView[] };
      const wanted = servicesOf(tenantId, demo.services, options);
      for (const service of services) {
        const gone = seeded.includes(service.name) && !wanted.some(({ name }) => name === service.name);
        if (gone || (storeChanged && seeded.includes(service.name)))
          await api.request('DELETE', `services/${service.id}`);
      }
      const kept = storeChanged ? [] : services;
      for (const service of wanted)
        await seedService(
          api,
          service,
          kept.find(({ name }) => name === service.name),
        );
    }),
  );
  await writePrivateFile(markFile, store ?? '');
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
