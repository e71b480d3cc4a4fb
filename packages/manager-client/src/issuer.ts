/** A tenant's issuer and the addresses that follow from it. */
export interface Issuer {
  /** Exactly as the Manager writes it (RFC 8414: compared code point by code point). */
  readonly issuer: string;
  readonly tenantId: string;
  /** The Manager's base URL; the API's routes (`/v1/…`) are below it. */
  readonly baseUrl: string;
  /** The audience (RFC 8707 resource) of tokens for the Manager's API. */
  readonly apiResource: string;
  readonly tokenEndpoint: string;
}

const form = /^(https?:\/\/[^/?#@\s]+(?:\/[^?#\s]+)?)\/t\/([a-z][a-z0-9-]{1,39})$/;
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Reads `https://host[/path]/t/<tenant>`. Throws a TypeError; http:// is for loopback, or where `dangerouslyAllowHttp` is said. */
export function parseIssuer(issuer: string, options: { dangerouslyAllowHttp?: boolean | undefined } = {}): Issuer {
  const [, baseUrl, tenantId] = (typeof issuer === 'string' && URL.canParse(issuer) && form.exec(issuer)) || [];
  if (!baseUrl || !tenantId) {
    throw new TypeError('issuer: must be https://<manager>/t/<tenant>, without a trailing slash, query or fragment');
  }
  const url = new URL(issuer);
  if (url.protocol === 'http:' && !loopback.test(url.hostname) && !options.dangerouslyAllowHttp) {
    throw new TypeError(
      'issuer: http:// is for loopback only (dangerouslyAllowHttp lifts that, and shows every token to the network)',
    );
  }
  return {
    issuer,
    tenantId,
    baseUrl,
    apiResource: `${issuer}/v1`,
    tokenEndpoint: `${issuer}/token`,
  };
}
