/** What lies below an issuer, by its first segment; each of these may have ids behind it. */
const below: ReadonlySet<string> = new Set([
  'assets',
  'auth',
  'completion',
  'connect',
  'go',
  'interaction',
  'introspection',
  'jwks',
  'me',
  'request',
  'revocation',
  'session',
  'sign-in',
  'token',
]);

/** What asks again and again whether the process is well. */
export function isProbe(path: string): boolean {
  return path === '/healthz' || path === '/readyz';
}

const unmatchedRoute = '(unmatched)';

/**
 * The template of what a URL asked for: one of a fixed number, whatever is sent. `template` is the path of the route
 * that took it, where one did.
 */
export function routeTemplateOf(url: string, template: unknown): string {
  const path = url.split('?', 1)[0] ?? '';
  const [, endpoint, rest] = /^\/t\/[^/]+(?:\/([^/]*)(\/.*)?)?$/.exec(path) ?? [];
  if (endpoint !== undefined) {
    if (!below.has(endpoint)) return endpoint === '.well-known' ? '/t/:tenant/.well-known/*' : '/t/:tenant/*';
    return `/t/:tenant/${endpoint}${rest === undefined ? '' : '/*'}`;
  }
  if (/^\/\.well-known\/[a-z-]+\/t\//.test(path)) return '/.well-known/*/t/:tenant';
  return typeof template === 'string' ? template : unmatchedRoute;
}
