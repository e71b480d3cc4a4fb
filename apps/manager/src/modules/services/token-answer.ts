/** Codes with which some providers say `invalid_grant`, with status 200. */
const grantErrors = new Set(['invalid_grant', 'bad_refresh_token', 'bad_verification_code']);

/**
 * An answer of a token endpoint as RFC 6749 has it: errors with status 400 (GitHub says them with 200), and without an
 * ID token, which is about who somebody is at the service and none of our business.
 */
export async function normalizeTokenAnswer(answer: Response): Promise<Response> {
  if (!answer.headers.get('content-type')?.includes('json')) return answer;
  const text = await answer.text();
  const body = parse(text);
  const { status } = answer;
  const headers = { 'content-type': 'application/json' };
  if (!body) return new Response(text, { status, headers });
  const { id_token: _idToken, ...rest } = body;
  const error = rest['error'];
  if (status !== 200 || typeof error !== 'string' || 'access_token' in rest) {
    return new Response(JSON.stringify(rest), { status, headers });
  }
  const code = grantErrors.has(error) ? 'invalid_grant' : error;
  return new Response(JSON.stringify({ error: code }), { status: 400, headers });
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
