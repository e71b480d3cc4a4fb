import { tenantIdSchema } from '@authsec/manager-client/contract';

/** The issuer of a tenant: exact string, no trailing slash. */
export function issuerOf(baseUrl: string, tenantId: string): string {
  return `${baseUrl}/t/${tenantId}`;
}

/** The audience of access tokens for the Manager's API. */
export function apiAudienceOf(issuer: string): string {
  return `${issuer}/v1`;
}

/** The tenant whose issuer this is, letter by letter; undefined where it is nobody's. */
export function tenantOfIssuer(baseUrl: string, issuer: string): string | undefined {
  const prefix = `${baseUrl}/t/`;
  if (!issuer.startsWith(prefix)) return undefined;
  const tenantId = tenantIdSchema.safeParse(issuer.slice(prefix.length));
  return tenantId.success ? tenantId.data : undefined;
}
