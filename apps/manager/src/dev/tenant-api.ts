import type { ClientCredentials } from './dev-credentials.js';

/** One tenant's API, as the machine that may administrate it. */
export interface TenantApi {
  /** Below `/v1/`; throws where the answer is no success. */
  request(method: string, path: string, body?: object): Promise<unknown>;
}

export async function connectTenantApi(
  managerUrl: string,
  tenantId: string,
  { clientId, clientSecret }: ClientCredentials,
): Promise<TenantApi> {
  const issuer = `${managerUrl}/t/${tenantId}`;
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/v1` }),
  });
  if (!answer.ok) throw new Error(`no token at ${tenantId}: ${answer.status}`);
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return {
    async request(method, path, body) {
      const response = await fetch(`${managerUrl}/v1/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!response.ok) {
        throw new Error(`${method} ${path} at ${tenantId}: ${response.status} ${await response.text()}`);
      }
      return response.status === 204 ? undefined : response.json();
    },
  };
}
