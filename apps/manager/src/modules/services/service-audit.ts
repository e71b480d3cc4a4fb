import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../../authorization/caller.js';
import { actorOf, type AuditEvent, type AuditValue } from '../audit-events/audit-event.js';
import type { Service } from './service.js';

type Details = Record<string, AuditValue>;

/** Who may use a service with what, and where its secret goes: everything of it that a person decides. */
const decided = {
  description: 'description',
  base_url: 'baseUrl',
  settings: 'settings',
  requirement: 'requirement',
  applications: 'applications',
  owner: 'ownerUserId',
  raw_credential: 'rawCredential',
  public_clients: 'publicClients',
  allow_private_addresses: 'allowPrivateAddresses',
  health_path: 'healthPath',
  enabled: 'enabled',
} as const satisfies Record<string, keyof Service>;

/** The parts of a service as an audit event tells them. */
export function describeService(service: Service): Details {
  const parts = Object.entries(decided).map(([name, key]) => [name, toValue(service[key])] as const);
  return { name: service.name, kind: service.kind, ...Object.fromEntries(parts) };
}

/** Each part that changed, as it is now and, under `<part>_before`, as it was. */
export function describeServiceChange(before: Service, after: Service): Details {
  const changed = Object.entries(decided).filter(([, key]) => !isDeepStrictEqual(before[key], after[key]));
  return Object.fromEntries(
    changed.flatMap(([name, key]) => [
      [name, toValue(after[key])],
      [`${name}_before`, toValue(before[key])],
    ]),
  );
}

export function serviceEvent(
  action: `service.${string}`,
  caller: Caller,
  { id, name }: Pick<Service, 'id' | 'name'>,
  { requestId, details }: { readonly requestId: string; readonly details: Details },
): AuditEvent {
  const target = { kind: 'service', id };
  return { action, actor: actorOf(caller), target, outcome: 'done', requestId, details: { name, ...details } };
}

/** What became of a credential that a tool asked for in somebody's name. */
export function credentialEvent(
  action: 'service.credential_issued' | 'service.credential_renewed' | 'service.credential_refused',
  {
    caller,
    tool,
    requestId,
  }: { readonly caller: Caller; readonly tool: string | undefined; readonly requestId: string },
  { service, session }: { readonly service: Service; readonly session: { readonly userId: string } },
  details: Details,
): AuditEvent {
  const application = caller.application.clientId;
  return {
    action,
    actor: { kind: 'user', id: session.userId },
    target: { kind: 'service', id: service.id },
    outcome: action === 'service.credential_refused' ? 'refused' : 'done',
    requestId,
    details: { service: service.name, application, tool: tool ?? null, ...details },
  };
}

function toValue(value: Service[keyof Service]): AuditValue {
  if (Array.isArray(value)) return value as readonly string[];
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
