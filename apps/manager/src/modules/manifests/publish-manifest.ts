import type { ManifestBody, ManifestChanges, ManifestSummary } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import { actorOf, type AuditValue } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import { assertDecidable, compareTools, digestOf, toSummary } from './manifest.js';
import * as repository from './manifests.repository.js';

export interface Publication {
  readonly caller: Caller;
  readonly digest: string;
  readonly body: ManifestBody;
  /** Of one that is known: it becomes current again. */
  readonly makeCurrent: boolean;
  readonly requestId: string;
}

export interface PublishedManifest {
  readonly created: boolean;
  readonly manifest: ManifestSummary;
}

/** Of each application; beyond it those that no session needs go. */
const maxManifests = 200;

/**
 * Publishes the calling application's tools. A new manifest becomes current; one that is known stays where it is, since
 * a server of the deployment before that starts again must not roll back the one after it.
 */
export async function publishManifest(publication: Publication): Promise<PublishedManifest> {
  const { caller, digest, body, makeCurrent, requestId } = publication;
  if (digestOf(body) !== digest) {
    const fields = [{ pointer: '/path/digest', detail: 'is not the digest of the body' }];
    throw new AppError('invalid_request', 'the digest is another one', { fields });
  }
  assertDecidable(body.tools);
  const applicationId = caller.application.id;
  return caller.db.$transaction(async (transaction) => {
    const method = await repository.lockApplication(transaction, applicationId);
    if (caller.kind !== 'application' || method === undefined || method === 'none') {
      throw new AppError('insufficient_permission', 'only an application that proves who it is publishes a manifest');
    }
    const current = await repository.findCurrent(transaction, applicationId);
    const known = await repository.findTools(transaction, applicationId, digest);
    const sequence = (current?.sequence ?? 0n) + 1n;
    if (!known) {
      const left = await repository.removeUnused(transaction, applicationId, maxManifests - 1);
      if (left >= maxManifests) throw new AppError('conflict', 'too many manifests are in use');
      const changes = current ? compareTools(current.tools, body.tools) : null;
      const previousDigest = current?.digest ?? null;
      const manifest = { applicationId, digest, sequence, tools: body.tools, previousDigest, changes };
      await repository.insertManifest(transaction, manifest);
      await audit('manifest.publish', { sequence: String(sequence), previous: previousDigest, ...toDetails(changes) });
    } else if (makeCurrent && current?.digest !== digest) {
      await repository.setSequence(transaction, { applicationId, digest, sequence });
      const changes = compareTools(current?.tools ?? [], known);
      await audit('manifest.make-current', {
        sequence: String(sequence),
        previous: current?.digest ?? null,
        ...toDetails(changes),
      });
    }
    const filter = { applicationId, clientId: undefined, digest, limit: 1 };
    const [listed] = await repository.listManifests(transaction, filter);
    if (!listed) throw new AppError('internal_error', 'a manifest was neither written nor found');
    return { created: !known, manifest: toSummary(listed) };

    function audit(action: string, details: Record<string, AuditValue>): Promise<void> {
      return recordAuditEvent(transaction, {
        action,
        actor: actorOf(caller),
        target: { kind: 'manifest', id: digest },
        outcome: 'done',
        requestId,
        details,
      });
    }
  });
}

function toDetails(changes: ManifestChanges | null): Record<string, AuditValue> {
  return Object.fromEntries(Object.entries(changes ?? {}).map(([kind, names]) => [kind, names.slice(0, 100)]));
}
