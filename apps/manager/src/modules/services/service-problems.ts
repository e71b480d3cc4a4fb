import type { FieldError } from '../../errors/app-error.js';
import type { Service } from './service.js';
import { type AddressPolicy, hostProblems, isWithin, urlProblems } from './service-address.js';

type Shape = Pick<Service, 'baseUrl' | 'settings' | 'healthPath'>;

/** What the contract's schema cannot see: the parts must fit the kind, and where they lead must be allowed. */
export function problemsOf(service: Shape, policy: AddressPolicy): FieldError[] {
  return [...baseUrlProblems(service, policy), ...settingsProblems(service, policy), ...healthPathProblems(service)];
}

function baseUrlProblems({ baseUrl, settings }: Shape, policy: AddressPolicy): FieldError[] {
  const pointer = '/base_url';
  if (settings.kind === 'database') {
    return baseUrl === null ? [] : [{ pointer, detail: 'is not for the kind database' }];
  }
  if (baseUrl === null) return [{ pointer, detail: 'is needed for this kind' }];
  // A certificate is presented by TLS or not at all.
  return urlProblems(pointer, baseUrl, settings.kind === 'mtls' ? { ...policy, allowHttp: false } : policy);
}

function settingsProblems({ settings }: Shape, policy: AddressPolicy): FieldError[] {
  const endpoint = (name: string, value: string | undefined) =>
    value === undefined ? [] : urlProblems(`/settings/${name}`, value, { ...policy, mayHaveQuery: true });
  switch (settings.kind) {
    case 'api_key':
      // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
      return /[^\x20-\x7e]/.test(settings.prefix + settings.name)
        ? [{ pointer: '/settings', detail: 'name and prefix must be visible ASCII' }]
        : [];
    case 'oauth2_client_credentials':
      return [...endpoint('token_endpoint', settings.token_endpoint), ...scopeProblems(settings.scope)];
    case 'oauth2_authorization_code':
      return [
        ...endpoint('authorization_endpoint', settings.authorization_endpoint),
        ...endpoint('token_endpoint', settings.token_endpoint),
        ...endpoint('revocation_endpoint', settings.revocation_endpoint),
        ...endpoint('issuer', settings.issuer),
        ...scopeProblems(settings.scope),
      ];
    case 'database': {
      const made = settings.creation_statements.join('\n');
      const lacks = ['{{name}}', '{{password}}'].filter((part) => !made.includes(part));
      return [
        ...hostProblems('/settings/host', settings.host, policy),
        ...lacks.map((part) => ({ pointer: '/settings/creation_statements', detail: `must have ${part}` })),
      ];
    }
    case 'basic':
    case 'bearer':
    case 'mtls':
      break;
  }
  return [];
}

/** RFC 6749 section 3.3. */
function scopeProblems(scope: string | undefined): FieldError[] {
  if (scope === undefined || /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(scope)) return [];
  return [{ pointer: '/settings/scope', detail: 'must be names with one space between them' }];
}

function healthPathProblems({ baseUrl, settings, healthPath }: Shape): FieldError[] {
  const pointer = '/health_path';
  if (healthPath === null) return [];
  if (settings.kind === 'database') return [{ pointer, detail: 'is not for the kind database' }];
  if (baseUrl === null || !URL.canParse(baseUrl)) return [];
  const [path = ''] = healthPath.split('?', 1);
  const base = baseUrl.replace(/\/+$/, '');
  const below = !/\\|\/\/|%2f|%5c/i.test(path) && isWithin(base, base + path);
  return below ? [] : [{ pointer, detail: 'must lead below base_url' }];
}
