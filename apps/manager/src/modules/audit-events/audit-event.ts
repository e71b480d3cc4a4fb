import type { Prisma } from '@authsec/prisma/tenant';
import type { Caller } from '../../authorization/caller.js';
import { Secret } from '../../config/secret.js';

export type AuditValue = string | number | boolean | null | Secret | readonly string[];

/** Something that was done, or refused, to a thing of the tenant. */
export interface AuditEvent {
  /** `<noun>.<verb>`. */
  readonly action: string;
  readonly actor: { readonly kind: 'user' | 'application' | 'system'; readonly id: string | null };
  readonly target: { readonly kind: string; readonly id: string };
  readonly outcome: 'done' | 'refused';
  readonly requestId: string | undefined;
  /** What is secret comes as a Secret and is stored as `[redacted]`; anything but these types is a type error. */
  readonly details?: Readonly<Record<string, AuditValue>>;
}

/** Who did it: the person, or the application where it acts for itself. */
export function actorOf(caller: Caller): AuditEvent['actor'] {
  return caller.userId === undefined
    ? { kind: 'application', id: caller.application.clientId }
    : { kind: 'user', id: caller.userId };
}

/** The row of an event, redacted by type. */
export function toAuditRow(event: AuditEvent): Prisma.AuditEventCreateInput {
  return {
    action: event.action,
    actorKind: event.actor.kind,
    actorId: event.actor.id,
    targetKind: event.target.kind,
    targetId: event.target.id,
    outcome: event.outcome,
    requestId: event.requestId ?? null,
    details: Object.fromEntries(Object.entries(event.details ?? {}).map(([name, value]) => [name, toJson(value)])),
  };
}

function toJson(value: AuditValue): string | number | boolean | null | string[] {
  if (value instanceof Secret) return value.toString();
  return typeof value === 'object' && value !== null ? [...value] : value;
}
