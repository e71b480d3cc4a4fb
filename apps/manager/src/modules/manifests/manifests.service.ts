import type { ManifestChanges, ManifestSummary, ManifestView, SessionTools } from '@authsec/manager-client/contract';
import { type Caller, onlyOf } from '../../authorization/caller.js';
import { AppError } from '../../errors/app-error.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import { compareTools, toSummary } from './manifest.js';
import * as repository from './manifests.repository.js';
import { type Publication, publishManifest, type PublishedManifest } from './publish-manifest.js';
import { toolsOfSession } from './session-tools.js';

/** One manifest: the calling application's, unless another one of the tenant is named. */
export interface ManifestName {
  readonly digest: string;
  readonly clientId: string | undefined;
}

export interface ManifestsService {
  publish(publication: Publication): Promise<PublishedManifest>;
  list(caller: Caller, filter: Omit<repository.ManifestFilter, 'applicationId'>): Promise<ManifestSummary[]>;
  /** AppError 'not_found' for one that the caller does not reach. */
  get(caller: Caller, name: ManifestName): Promise<ManifestView>;
  changes(caller: Caller, name: ManifestName, since: string): Promise<ManifestChanges>;
  /** AppError 'not_found' or 'session_ended'. */
  ofSession(caller: Caller, sid: string): Promise<SessionTools>;
}

export function createManifestsService(sessions: Pick<SessionsService, 'judge'>): ManifestsService {
  async function find(caller: Caller, { digest, clientId }: ManifestName): Promise<ManifestView> {
    const { application, db } = caller;
    const filter = { applicationId: onlyOf(caller), clientId: clientId ?? application.clientId, digest, limit: 1 };
    const [listed] = await repository.listManifests(db, filter);
    const tools = listed && (await repository.findToolsOf(db, listed.clientId, digest));
    if (!listed || !tools) throw new AppError('not_found', 'no such manifest within reach');
    return { ...toSummary(listed), tools };
  }

  return {
    publish: publishManifest,

    async list(caller, filter) {
      const manifests = await repository.listManifests(caller.db, { ...filter, applicationId: onlyOf(caller) });
      return manifests.map(toSummary);
    },

    get: find,

    async changes(caller, name, since) {
      const [before, after] = [await find(caller, { ...name, digest: since }), await find(caller, name)];
      return compareTools(before.tools, after.tools);
    },

    ofSession: async (caller, sid) => toolsOfSession(caller, await sessions.judge(caller, sid)),
  };
}

/** A server says which manifests it holds sessions by: they are kept. */
export const noteManifestUse = repository.noteUse;
