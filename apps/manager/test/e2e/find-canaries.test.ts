import { type PostgresServer, startPostgres } from '@authsec/config/embedded-postgres';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { dumpDatabases, findCanaries, formsOf, readFolder } from './find-canaries.js';

const value = 'canary-"7f/3+é\\&<%20 😀 end';
const canaries = [{ name: 'it', value }];
const found = (text: string) => findCanaries(canaries, [{ name: 'log', bytes: Buffer.from(text) }]);

describe('a canary is found', () => {
  test.each(formsOf(value))('as %s', (encoding, text) => {
    expect(found(`before ${text} after`)).toContainEqual({ canary: 'it', encoding, in: 'log' });
  });

  test.each([0, 1, 2, 3, 4, 5])('in base64 with %i bytes before it and others after', (before) => {
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = Buffer.from(`${'x'.repeat(before)}${value}yz`).toString(encoding);
      expect(found(text)).toHaveLength(1);
    }
  });

  test('in a string of JSON in a string of JSON, and in a form', () => {
    expect(found(JSON.stringify({ log: JSON.stringify({ value }) }))).not.toEqual([]);
    expect(found(new URLSearchParams({ value }).toString())).not.toEqual([]);
  });

  test('in a URL, whatever of it is encoded, in either case', () => {
    const all = Buffer.from(value).toString('hex').replace(/../g, '%$&');
    const some = Array.from(value, (character) =>
      /[a-m]/.test(character) ? character : encodeURIComponent(character),
    );
    for (const text of [all, all.toUpperCase(), some.join('').toLowerCase()])
      expect(found(`/?key=${text}`)).not.toEqual([]);
  });

  test('and nothing where there is none', () => {
    expect(found(value.slice(1))).toEqual([]);
    expect(found(Buffer.from(value.slice(4)).toString('base64'))).toEqual([]);
  });
});

describe('a canary is found where it was planted', () => {
  let folder: string;
  let postgres: PostgresServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authsec-canaries-'));
    await mkdir(join(folder, 'logs'));
    await mkdir(join(folder, 'vault'));
    await writeFile(join(folder, 'logs', 'a.log'), `GET /?key=${encodeURIComponent(value)}`);
    await writeFile(join(folder, 'vault', 'data'), value);
    // Of its own: each database of it is read, and tests drop those that they made.
    postgres = await startPostgres({ password: 'of this test', unsafe: true });
  });
  afterAll(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('in a log, and not in what is left out', async () => {
    const found = findCanaries(canaries, await readFolder(folder, ['vault']));
    expect(new Set(found.map(({ in: path }) => path))).toEqual(new Set([join(folder, 'logs', 'a.log')]));
  });

  test('in a column of bytes of some database', async () => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query('CREATE TABLE planted (name text, data bytea)');
    await client.query("INSERT INTO planted VALUES ('x', $1)", [Buffer.from(value)]);
    await client.end();
    const hits = findCanaries(canaries, await dumpDatabases(postgres.url));
    expect(hits).toEqual([{ canary: 'it', encoding: 'hex', in: 'postgres: planted' }]);
  });
});
