import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DevCredentials } from './dev-credentials.js';
import { devIssuerOf } from './dev-issuer.js';
import { demoTenants, publicTools, systemTenant } from './seed-data.js';
import { writePrivateFile } from './state-directory.js';

interface ClientEntry {
  readonly client_id: string;
  readonly client_secret: string;
}

/** `.authsec/dev.json`: where everything is, for scripts; there while the stack is ready. */
export interface DevFile {
  readonly manager: { readonly url: string };
  /** Where the secrets of services are; absent where the tenants' databases hold them, sealed. */
  readonly vault?: { readonly address: string };
  readonly system: {
    readonly issuer: string;
    readonly operator: { readonly email: string; readonly password: string };
    readonly admin: ClientEntry;
  };
  readonly tenants: readonly {
    readonly tenant_id: string;
    readonly issuer: string;
    /** URL of the tenant's demo endpoint. */
    readonly mcp: string;
    readonly publicTools: readonly string[];
    readonly application: ClientEntry;
    /** How an MCP client starts the same demo on stdio, as a public client. */
    readonly stdio: {
      readonly client_id: string;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    };
    /** `name` is on the button, `url` its issuer. */
    readonly identityProviders: readonly { readonly name: string; readonly url: string }[];
    /** A machine that may administrate the tenant through the API. */
    readonly admin: ClientEntry;
    readonly people: readonly {
      readonly email: string;
      readonly password: string;
      /** The name on the button of the identity provider where they type it; absent: on the sign-in page itself. */
      readonly signInWith?: string;
      /** What this person comes to see beside the login and public tools. */
      readonly tools: readonly string[];
    }[];
  }[];
}

export interface DevUrls {
  readonly manager: string;
  readonly demo: string;
  /** The development identity providers. */
  readonly providers: string;
}

export function mcpUrlOf(urls: DevUrls, tenantId: string): string {
  return `${urls.demo}/t/${tenantId}/mcp`;
}

export function describeDevStack(urls: DevUrls, credentials: DevCredentials, vaultAddress?: string): DevFile {
  const client = (tenantId: string, name: 'demo-mcp' | 'dev-admin'): ClientEntry => {
    const { clientId, clientSecret } = credentials.client(tenantId, name);
    return { client_id: clientId, client_secret: clientSecret };
  };
  const issuerOf = (tenantId: string) => `${urls.manager}/t/${tenantId}`;
  const operator = systemTenant.people[0]?.email ?? '';
  return {
    manager: { url: urls.manager },
    ...(vaultAddress !== undefined && { vault: { address: vaultAddress } }),
    system: {
      issuer: issuerOf(systemTenant.tenantId),
      operator: { email: operator, password: credentials.password(operator) },
      admin: client(systemTenant.tenantId, 'dev-admin'),
    },
    tenants: demoTenants.map(({ tenantId, people, identityProviders, demo }) => ({
      tenant_id: tenantId,
      issuer: issuerOf(tenantId),
      mcp: mcpUrlOf(urls, tenantId),
      publicTools: [...publicTools],
      application: client(tenantId, 'demo-mcp'),
      stdio: describeStdio(issuerOf(tenantId), demo?.stdio ?? ''),
      admin: client(tenantId, 'dev-admin'),
      identityProviders: identityProviders.map((provider) => ({
        name: provider.name,
        url: devIssuerOf(urls.providers, provider),
      })),
      people: people.map(({ email, tools, signInWith }) => ({
        email,
        password: credentials.password(email),
        ...(signInWith !== undefined && { signInWith }),
        tools: [...tools],
      })),
    })),
  };
}

function describeStdio(issuer: string, clientId: string): DevFile['tenants'][number]['stdio'] {
  return {
    client_id: clientId,
    command: process.execPath,
    args: [fileURLToPath(new URL('../../../demo-mcp/dist/main.js', import.meta.url)), '--stdio'],
    env: { AUTHSEC_ISSUER: issuer, AUTHSEC_CLIENT_ID: clientId },
  };
}

export async function writeDevFile(path: string, file: DevFile): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(file, null, 2)}\n`);
}

export async function removeDevFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
