import type { Sessions } from '@authsec/manager-client';
import { createEndings, type Endings, type EndingsOptions } from './endings.js';

/** Ends sessions at the Manager. */
export type Revocations = Endings;

export function createRevocations({
  sessions,
  ...options
}: Pick<EndingsOptions, 'clock' | 'log' | 'random'> & { readonly sessions: Pick<Sessions, 'revoke'> }): Revocations {
  const end: EndingsOptions['end'] = (sid, call) => sessions.revoke(sid, { reason: 'logged_out' }, call);
  return createEndings({ ...options, what: 'session', end });
}
