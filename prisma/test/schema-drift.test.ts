import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { describeSchema, formatSchema } from '../src/describe-schema.js';
import { applyMigrations, type DatabaseKind, readSchemaDrift } from '../src/migrate.js';
import { expectedSchemaPath } from '../src/schema-drift.js';
import { createDatabase } from './create-database.js';

const kinds: DatabaseKind[] = ['master', 'tenant'];
const reader = `reader_${randomBytes(4).toString('hex')}`;
const templates = new Map<DatabaseKind, string>();
const drops: (() => Promise<void>)[] = [];

async function inDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const nameOf = (url: string) => new URL(url).pathname.slice(1);

/** Migrated, and open to nobody else, as the Manager leaves one that it made. */
async function migrated(kind: DatabaseKind): Promise<{ url: string; drop(): Promise<void> }> {
  const database = createDatabase(templates.get(kind));
  const url = await database.url;
  await inDatabase(url, (client) => client.query(`REVOKE ALL ON DATABASE ${nameOf(url)} FROM PUBLIC`));
  return { url, drop: database.drop };
}

/** What is found after `statements`, as `kind object`. */
async function driftAfter(kind: DatabaseKind, ...statements: string[]) {
  const { url, drop } = await migrated(kind);
  try {
    await inDatabase(url, async (client) => {
      for (const statement of statements) await client.query(statement);
    });
    return await readSchemaDrift({ url, kind });
  } finally {
    await drop();
  }
}

beforeAll(async () => {
  await inDatabase(process.env.AUTHSEC_TEST_DATABASE_URL!, (client) => client.query(`CREATE ROLE ${reader}`));
  for (const kind of kinds) {
    const database = createDatabase();
    drops.push(database.drop);
    const url = await database.url;
    await applyMigrations({ url, kind });
    templates.set(kind, nameOf(url));
  }
});
afterAll(async () => {
  for (const drop of drops) await drop();
  await inDatabase(process.env.AUTHSEC_TEST_DATABASE_URL!, (client) => client.query(`DROP ROLE ${reader}`));
});

describe.each(kinds)('of the %s database', (kind) => {
  test('what is committed is what the migrations make; if not: pnpm --filter @authsec/prisma schema:describe', async () => {
    const { url, drop } = await migrated(kind);
    const found = formatSchema(await inDatabase(url, describeSchema));
    await drop();
    expect(found).toBe(await readFile(expectedSchemaPath(kind), 'utf8'));
  });

  test('nothing is said while nobody touched it', async () => {
    expect(await driftAfter(kind)).toEqual([]);
  });
});

/** All made in one database, each on something of its own. */
const changes: [name: string, statement: string, difference: string][] = [
  ['an index that was dropped', 'DROP INDEX users_email_key', 'missing index users.users_email_key'],
  [
    'an index of the same name on something else',
    'DROP INDEX decisions_at_idx; CREATE INDEX decisions_at_idx ON decisions (id)',
    'different index decisions.decisions_at_idx',
  ],
  [
    'a partial index without its condition',
    'DROP INDEX signing_keys_one_active; CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (alg)',
    'different index signing_keys.signing_keys_one_active',
  ],
  ['a new index', 'CREATE INDEX mine ON users (display_name)', 'extra index users.mine'],
  ['a new column', 'ALTER TABLE users ADD nickname text', 'extra column users.nickname'],
  ['a column that is gone', 'ALTER TABLE sessions DROP client_name', 'missing column sessions.client_name'],
  ['another default', `ALTER TABLE users ALTER status SET DEFAULT 'disabled'`, 'different column users.status'],
  ['a default that is gone', 'ALTER TABLE users ALTER id DROP DEFAULT', 'different column users.id'],
  ['another type', 'ALTER TABLE roles ALTER description TYPE varchar(9)', 'different column roles.description'],
  ['a column that may be empty', 'ALTER TABLE users ALTER email DROP NOT NULL', 'different column users.email'],
  [
    'another collation',
    'ALTER TABLE groups ALTER description TYPE text COLLATE "POSIX"',
    'different column groups.description',
  ],
  [
    'a check that is gone',
    'ALTER TABLE users DROP CONSTRAINT users_email_lower_case',
    'missing constraint users.users_email_lower_case',
  ],
  [
    'a check that holds for new rows only',
    `ALTER TABLE stamp DROP CONSTRAINT stamp_one_row; ALTER TABLE stamp ADD CONSTRAINT stamp_one_row CHECK (id = 1) NOT VALID`,
    'different constraint stamp.stamp_one_row',
  ],
  [
    'a foreign key that deletes nothing any more',
    `ALTER TABLE user_roles DROP CONSTRAINT user_roles_role_id_fkey;
     ALTER TABLE user_roles ADD CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles ON UPDATE CASCADE`,
    'different constraint user_roles.user_roles_role_id_fkey',
  ],
  [
    'a trigger that is gone',
    'DROP TRIGGER bump_policy_version ON user_roles',
    'missing trigger user_roles.bump_policy_version',
  ],
  [
    'a trigger that is switched off',
    'ALTER TABLE roles DISABLE TRIGGER bump_policy_version',
    'different trigger roles.bump_policy_version',
  ],
  [
    'a trigger that comes at other times',
    `DROP TRIGGER bump_policy_version ON group_roles;
     CREATE TRIGGER bump_policy_version BEFORE INSERT ON group_roles EXECUTE FUNCTION bump_policy_version()`,
    'different trigger group_roles.bump_policy_version',
  ],
  [
    'a function with another body',
    `CREATE OR REPLACE FUNCTION bump_policy_version() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    'different function bump_policy_version()',
  ],
  [
    'a function that runs with the rights of its owner',
    'ALTER FUNCTION note_policy_change SECURITY DEFINER',
    'different function note_policy_change()',
  ],
  ['one more value of an enum', `ALTER TYPE "UserStatus" ADD VALUE 'gone'`, 'different type "UserStatus"'],
  ['a sequence', 'CREATE SEQUENCE mine_too', 'extra sequence mine_too'],
  ['a view', 'CREATE VIEW view_of_mine AS SELECT id FROM users', 'extra view view_of_mine'],
  ['a rule', 'CREATE RULE mine AS ON DELETE TO sessions DO INSTEAD NOTHING', 'extra rule sessions.mine'],
  ['a table that a crash empties', 'ALTER TABLE revoked_tokens SET UNLOGGED', 'different table revoked_tokens'],
  ['what others may read', `GRANT SELECT ON users TO ${reader}`, `extra grant users.${reader}`],
  ['a column that others may read', `GRANT SELECT (email) ON users TO ${reader}`, `extra grant users.email.${reader}`],
  [
    'a database that everyone may connect to',
    `DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database()); END $$`,
    'extra grant database.public',
  ],
  ['a schema that everyone may write to', 'GRANT CREATE ON SCHEMA public TO PUBLIC', 'extra grant schema.public'],
];

describe('is named', () => {
  let named: string[];
  beforeAll(async () => {
    const drift = await driftAfter('tenant', ...changes.map(([, statement]) => statement));
    named = drift.map(({ kind, object }) => `${kind} ${object}`);
  });

  test.each(changes)('%s', (_name, _statement, difference) => {
    expect(named).toContain(difference);
  });

  test('each once, and nothing else', () => {
    expect(named.toSorted()).toEqual(changes.map(([, , difference]) => difference).toSorted());
  });

  test('foreign keys that hold nothing, as a restore that broke off leaves them', async () => {
    const drift = await driftAfter('tenant', 'ALTER TABLE user_scopes DISABLE TRIGGER ALL');
    expect(drift.map(({ object }) => object)).toEqual([
      'constraint user_scopes.user_scopes_scope_id_fkey',
      'constraint user_scopes.user_scopes_user_id_fkey',
      'trigger user_scopes.bump_policy_version',
    ]);
  });

  test('row security, with its policies', async () => {
    const drift = await driftAfter(
      'tenant',
      'ALTER TABLE users ENABLE ROW LEVEL SECURITY',
      'CREATE POLICY nobody ON users USING (false)',
    );
    expect(drift).toEqual([
      { kind: 'different', object: 'table users', expected: '', found: 'row security' },
      { kind: 'extra', object: 'policy users.nobody', found: 'permissive for * to public using false' },
    ]);
  });

  test('a table by its name alone, whether it is gone or new', async () => {
    const drift = await driftAfter(
      'master',
      'DROP TABLE rate_limits',
      'CREATE TABLE "my.notes" (id int PRIMARY KEY, note text NOT NULL); CREATE INDEX ON "my.notes" (note)',
    );
    expect(drift).toEqual([
      { kind: 'missing', object: 'table rate_limits', expected: '' },
      { kind: 'extra', object: 'table "my.notes"', found: '' },
    ]);
  });

  test('an index that is not valid, as one that was built concurrently and failed', async () => {
    const { url, drop } = await migrated('tenant');
    await inDatabase(url, async (client) => {
      await client.query(
        `INSERT INTO users (email, display_name, updated_at) VALUES ('a@b.c', 'A', now()), ('d@e.f', 'A', now())`,
      );
      await client.query('CREATE UNIQUE INDEX CONCURRENTLY mine ON users (display_name)').catch(() => {});
    });
    const drift = await readSchemaDrift({ url, kind: 'tenant' });
    await drop();
    expect(drift).toEqual([
      { kind: 'extra', object: 'index users.mine', found: 'unique btree (display_name) INVALID' },
    ]);
  });

  test('without what a terminal would obey', async () => {
    const drift = await driftAfter('master', `ALTER TABLE tenants ADD "a\n\u001B[2Jb" text`);
    expect(drift.map(({ object }) => object)).toEqual(['column tenants."a [2Jb"']);
  });
});

describe('is nobody else’s business', () => {
  test('how it is stored, measured and commented, and that it has grown', async () => {
    expect(
      await driftAfter(
        'tenant',
        'ALTER TABLE users SET (autovacuum_vacuum_scale_factor = 0.01)',
        'ALTER TABLE users ALTER email SET STATISTICS 500',
        'ALTER TABLE users ALTER email SET STORAGE EXTERNAL',
        'CREATE STATISTICS mine ON email, status FROM users',
        'ALTER TABLE users REPLICA IDENTITY FULL',
        `COMMENT ON TABLE users IS 'people'`,
        'CREATE SCHEMA reports',
        'CREATE TABLE reports.monthly (id int)',
        'ANALYZE',
        'VACUUM FULL users',
        'REINDEX TABLE users',
      ),
    ).toEqual([]);
  });

  test('which role it belongs to, as long as the one that connects has its rights', async () => {
    const { url, drop } = await migrated('master');
    const role = `owner_${randomBytes(4).toString('hex')}`;
    const asOwner = Object.assign(new URL(url), { username: role, password: role }).href;
    try {
      await inDatabase(url, async (client) => {
        await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
        await client.query(`GRANT CONNECT ON DATABASE ${nameOf(url)} TO ${role}`);
      });
      const foreign = await readSchemaDrift({ url: asOwner, kind: 'master' });
      expect(foreign.map(({ kind, object }) => `${kind} ${object}`)).toContain('different table tenants');
      await inDatabase(url, async (client) => {
        for (const table of ['tenants', 'retired_tenant_ids', 'rate_limits']) {
          await client.query(`ALTER TABLE ${table} OWNER TO ${role}`);
        }
      });
      expect(await readSchemaDrift({ url: asOwner, kind: 'master' })).toEqual([]);
    } finally {
      await drop();
      await inDatabase(process.env.AUTHSEC_TEST_DATABASE_URL!, (client) => client.query(`DROP ROLE ${role}`));
    }
  });

  test('what settings the role that looks has', async () => {
    const { url, drop } = await migrated('tenant');
    const asWritten = new URL(url);
    asWritten.searchParams.set(
      'options',
      '-c DateStyle=German -c standard_conforming_strings=off -c quote_all_identifiers=on -c TimeZone=Asia/Tokyo',
    );
    const drift = await readSchemaDrift({ url: asWritten.href, kind: 'tenant' });
    await drop();
    expect(drift).toEqual([]);
  });
});

test('a database that does not answer is an error, not a database without tables', async () => {
  await expect(readSchemaDrift({ url: 'postgresql://x:y@127.0.0.1:1/x', kind: 'tenant' })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
});
