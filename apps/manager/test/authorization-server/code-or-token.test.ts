import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { consumeRow } from '../../src/authorization-server/provider-rows.js';
import type { TenantDatabase } from '../../src/db/tenant-clients.js';
import { bindPastedOnce, type BindAttempt } from '../../src/modules/sessions/sessions.repository.js';
import { createTestPerson } from '../support/test-data.js';
import type { TestTenant } from '../support/test-manager.js';
import { completeLogin } from './login-flow.js';
import { createClient, givePassword, startTestServer, type TestClient, type TestServer } from './test-server.js';

let server: TestServer;
let tenant: TestTenant;
let client: TestClient;
let person: { readonly id: string; readonly email: string };

beforeAll(async () => {
  server = await startTestServer();
  tenant = await server.createTenant();
  client = await createClient(tenant, { pasteToken: true });
  person = await createTestPerson(tenant);
  await givePassword(tenant, person.id);
});
afterAll(() => server.close());

async function complete(): Promise<{ readonly code: string; readonly attempt: BindAttempt }> {
  const { code, mcpSession } = await completeLogin(tenant, client, person.email);
  const { id: sid } = await tenant.db.session.findFirstOrThrow({ where: { mcpSession } });
  const of = { sid, applicationId: client.id, userId: person.id, mcpSession };
  return { code, attempt: { ...of, keyHash: null, manifestDigest: undefined, at: new Date() } };
}

const redeem = (db: TenantDatabase, code: string) => consumeRow(db, 'AuthorizationCode', code);

/** Until a statement of another transaction waits for the row that this one has changed. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const rows = await tenant.db.$queryRaw<unknown[]>`
      SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    if (rows.length > 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Begins the second while the first has happened and is not committed: the worst moment there is. */
async function inTheMiddle(
  first: (db: TenantDatabase) => Promise<boolean>,
  second: (db: TenantDatabase) => Promise<boolean>,
): Promise<readonly [boolean, boolean]> {
  let later: Promise<boolean> | undefined;
  const earlier = await tenant.db.$transaction(async (transaction) => {
    const happened = await first(transaction as TenantDatabase);
    later = second(tenant.db);
    await someoneWaits();
    return happened;
  });
  return [earlier, (await later) ?? true];
}

describe('of a code and the token beside it exactly one counts', () => {
  test('the code, where it is being redeemed while the token is bound', async () => {
    const { code, attempt } = await complete();
    const ends = await inTheMiddle(
      (db) => redeem(db, code),
      (db) => bindPastedOnce(db, attempt),
    );
    expect(ends).toEqual([true, false]);
    expect(await tenant.db.session.findUnique({ where: { id: attempt.sid } })).toMatchObject({ boundAt: null });
  });

  test('the token, where it is being bound while the code is redeemed', async () => {
    const { code, attempt } = await complete();
    const ends = await inTheMiddle(
      (db) => bindPastedOnce(db, attempt),
      (db) => redeem(db, code),
    );
    expect(ends).toEqual([true, false]);
  });

  test('and of two bindings of the token the first', async () => {
    const { attempt } = await complete();
    const ends = await inTheMiddle(
      (db) => bindPastedOnce(db, attempt),
      (db) => bindPastedOnce(db, attempt),
    );
    expect(ends).toEqual([true, false]);
  });
});
