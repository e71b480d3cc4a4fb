import {
  type DatabaseKind,
  readMigrationStatus,
  readSchemaDrift,
  type SchemaDifference,
} from '@authsec/prisma/migrate';
import type { Secret } from '../../config/secret.js';
import { type Finding, fail, ok, warn } from './finding.js';

export const databaseTimeoutMs = 5_000;
const shown = 5;

/**
 * Pending, unknown and changed migrations of one database, and what was changed in it by hand; rejects where it does
 * not answer.
 */
export async function checkSchema(check: string, url: Secret, kind: DatabaseKind): Promise<Finding[]> {
  const database = { url: url.reveal(), kind, connectTimeoutMs: databaseTimeoutMs };
  const { applied, pending, unknown, changed, unfinished } = await readMigrationStatus(database);
  const found: Finding[] = [];
  if (pending.length > 0) {
    found.push(fail(check, `${pending.length} migration(s) behind: ${pending.join(', ')}`, 'migrate'));
  }
  if (unfinished.length > 0) {
    found.push(
      fail(check, `begun and not finished: ${unfinished.join(', ')}`, 'docs/upgrade.md, "a migration failed"'),
    );
  }
  if (unknown.length > 0) {
    const advice = 'run the version that migrated it, or a newer one';
    found.push(warn(check, `has migrations that this version does not know: ${unknown.join(', ')}`, advice));
  }
  if (changed.length > 0) {
    const advice = 'somebody changed a migration or its record: compare with the release';
    found.push(fail(check, `applied with another content: ${changed.join(', ')}`, advice));
  }
  // What a database of another version should look like is not known here.
  const comparable = pending.length + unfinished.length + unknown.length === 0;
  if (comparable) found.push(...describeDrift(check, await readSchemaDrift(database)));
  return found.length > 0 ? found : [ok(check, `at ${applied.at(-1)}, as its migrations made it`)];
}

function describeDrift(check: string, drift: readonly SchemaDifference[]): Finding[] {
  if (drift.length === 0) return [];
  // What is broken first.
  const sorted = [...drift.filter(isHarmful), ...drift.filter((difference) => !isHarmful(difference))];
  const lines = sorted.slice(0, shown).map(({ kind, object }) => `- ${kind} ${object}`);
  if (drift.length > shown) lines.push(`- and ${drift.length - shown} more: --json has all`);
  const text = `changed by hand since it was migrated:\n${lines.join('\n')}`;
  const details = sorted.map(describeDifference);
  return drift.some(isHarmful)
    ? [{ ...fail(check, text, 'put it back: docs/upgrade.md, "changed by hand"'), details }]
    : [{ ...warn(check, text, 'a later migration may trip over it: docs/upgrade.md, "changed by hand"'), details }];
}

/** Of what was only added, this is what can refuse or change a write, or let others in. */
const acts = /^(trigger|constraint|policy|rule) |^grant \S+\.public$/;

function isHarmful({ kind, object, found = '' }: SchemaDifference): boolean {
  if (kind !== 'extra' || acts.test(object)) return true;
  if (object.startsWith('index ')) return found.startsWith('unique ');
  return object.startsWith('column ') && / not null(?! default| generated)/.test(found);
}

function describeDifference({ kind, object, expected, found }: SchemaDifference): string {
  if (kind === 'different') return `different ${object}: is ${found || 'plain'}; was ${expected || 'plain'}`;
  const definition = kind === 'missing' ? expected : found;
  return `${kind} ${object}${definition ? `: ${definition}` : ''}`;
}
