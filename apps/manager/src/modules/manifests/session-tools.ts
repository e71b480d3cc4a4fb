import type { ManifestTool, SessionTools } from '@authsec/manager-client/contract';
import { compileRequirement, createPrincipal, decide, type Principal } from '@authsec/rbac-core';
import type { Caller } from '../../authorization/caller.js';
import type { JudgedSession } from '../sessions/judge-session.js';
import { findCurrent, findTools } from './manifests.repository.js';

/**
 * Of each tool of the server that holds the session, whether its person may use it. Answered from the manifest that the
 * session named, also while another one is current; from none where that one is not published (yet).
 */
export async function toolsOfSession(caller: Caller, session: JudgedSession): Promise<SessionTools> {
  const found = await findManifest(caller, session);
  const principal = createPrincipal(session.grants);
  return {
    sid: session.sid,
    sub: session.userId,
    policy_version: session.policyVersion.toString(),
    manifest: found && { digest: found.digest, source: found.source },
    tools: (found?.tools ?? []).map((tool) => ({ name: tool.name, public: tool.public, ...judge(principal, tool) })),
  };
}

async function findManifest({ db }: Caller, { applicationId, manifestDigest: digest }: JudgedSession) {
  if (digest === null) {
    const current = await findCurrent(db, applicationId);
    return current ? { digest: current.digest, source: 'current' as const, tools: current.tools } : null;
  }
  const tools = await findTools(db, applicationId, digest);
  return tools ? { digest, source: 'session' as const, tools } : null;
}

function judge(principal: Principal, { requirement }: ManifestTool): { allowed: boolean; code: string } {
  if (requirement === null) return { allowed: true, code: 'allowed' };
  const { allowed, code } = decide(principal, compileRequirement(requirement));
  return { allowed, code };
}
