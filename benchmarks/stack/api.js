/** One tenant's API, as the machine of dev.json that administrates it. */
export async function connectApi(managerUrl, { issuer, admin }) {
  const basic = Buffer.from(`${admin.client_id}:${admin.client_secret}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/v1` }),
  });
  const { access_token: token } = await answer.json();
  return async (method, path, body) => {
    const response = await fetch(`${managerUrl}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
}
