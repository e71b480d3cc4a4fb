import { createCertificate } from '../support/certificate.js';

const certificates = new Map<string, ReturnType<typeof createCertificate>>();

/** A service whose secrets are searched for: `canaries` are all of them, as they must not be seen. */
export interface CanaryService {
  readonly kind: string;
  readonly name: string;
  /** Whether tools may have it raw. */
  readonly raw: boolean;
  readonly secret: Readonly<Record<string, string>>;
  readonly canaries: readonly string[];
  readonly settings: (url: string) => object;
}

/** One of each kind that is reached over HTTP; characters that encodings change are in every secret. */
export function canaryServices(generation: string): readonly CanaryService[] {
  const secret = (what: string) => `canary-${generation}-${what}_7f/3+k=&"'<%20>\\;~`;
  const service = (
    kind: string,
    name: string,
    fields: Readonly<Record<string, string>>,
    settings: (url: string) => object = () => ({}),
  ): CanaryService => ({
    kind,
    name,
    raw: name !== 'basic',
    secret: fields,
    canaries: Object.values(fields),
    settings: (url) => ({ kind, ...settings(url) }),
  });
  const tokenClient = (url: string) => ({ token_endpoint: `${url}/token`, client_id: 'canary' });
  const basic = service('basic', 'basic', { username: 'robot', password: secret('basic') });
  const certificate = certificates.get(generation) ?? createCertificate();
  certificates.set(generation, certificate);
  const mtls = service('mtls', 'mtls', certificate);
  return [
    { ...mtls, raw: true, canaries: certificate.private_key.split('\n').slice(1, 2) },
    service('api_key', 'api_key_header', { key: secret('header') }, () => ({
      in: 'header',
      name: 'x-key',
      prefix: 'Key ',
    })),
    service('api_key', 'api_key_query', { key: secret('query') }, () => ({ in: 'query', name: 'key' })),
    { ...basic, canaries: [secret('basic')] },
    service('bearer', 'bearer', { token: secret('bearer') }),
    service('oauth2_client_credentials', 'client_credentials', { client_secret: secret('client') }, tokenClient),
    service('oauth2_authorization_code', 'authorization_code', { client_secret: secret('code') }, (url) => ({
      ...tokenClient(url),
      authorization_endpoint: `${url}/authorize`,
    })),
  ];
}
