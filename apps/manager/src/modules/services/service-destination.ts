import type { Service } from './service.js';
import { isWithin } from './service-address.js';

type Destination = Pick<Service, 'baseUrl' | 'settings'>;

/**
 * Whether the secret would be told where it was not told before, or do there what it did not: it is then given anew by
 * whoever knows it. Otherwise who may only write a service could have its secret sent to themselves.
 */
export function goesElsewhere(before: Destination, next: Destination): boolean {
  if (before.baseUrl !== next.baseUrl) {
    if (before.baseUrl === null || next.baseUrl === null || !isWithin(before.baseUrl, next.baseUrl)) return true;
  }
  return JSON.stringify(placesOf(before)) !== JSON.stringify(placesOf(next));
}

/** Whether what people's tokens were got from, or are used at, is another: their connections end then. */
export function endsConnections(before: Destination, next: Destination): boolean {
  if (next.settings.kind !== 'oauth2_authorization_code' || before.settings.kind !== next.settings.kind) return false;
  return goesElsewhere(before, next) || before.settings.client_id !== next.settings.client_id;
}

function placesOf({ settings }: Destination): unknown {
  switch (settings.kind) {
    case 'oauth2_client_credentials':
      return [settings.token_endpoint];
    case 'oauth2_authorization_code':
      return [
        settings.authorization_endpoint,
        settings.token_endpoint,
        settings.revocation_endpoint ?? null,
        settings.issuer ?? null,
      ];
    // All of it: its statements are run by the account that the secret is.
    case 'database':
      return Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
    case 'api_key':
    case 'basic':
    case 'bearer':
    case 'mtls':
      break;
  }
  return null;
}
