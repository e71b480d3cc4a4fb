import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Client } from 'pg';

/** A secret that must be nowhere. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

/** What is searched: a log, a table, everything that a client was answered. */
export interface Haystack {
  readonly name: string;
  readonly bytes: Buffer;
}

/** `encoding` is how it was written down. */
export interface Found {
  readonly canary: string;
  readonly encoding: string;
  readonly in: string;
}

export function findCanaries(canaries: readonly Canary[], haystacks: readonly Haystack[]): readonly Found[] {
  const needles = canaries.flatMap(({ name, value }) =>
    formsOf(value).map(([encoding, text]) => ({ canary: name, encoding, needle: Buffer.from(text) })),
  );
  return haystacks.flatMap(({ name, bytes }) => {
    const decoded = decodePercent(bytes);
    return needles
      .filter(({ needle }) => bytes.includes(needle) || decoded?.includes(needle))
      .map(({ canary, encoding }) => ({ canary, encoding, in: name }));
  });
}

/** Which characters a URL encodes, and in which case, is up to who writes it. */
function decodePercent(bytes: Buffer): Buffer | undefined {
  if (!bytes.includes('%')) return undefined;
  const text = bytes
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** As it is, and in every encoding in which it could have been written down, each text once. */
export function formsOf(value: string): readonly (readonly [encoding: string, text: string])[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const percent = hex.replace(/../g, '%$&');
  const json = JSON.stringify(value).slice(1, -1);
  const forms: (readonly [string, string])[] = [
    ['plain', value],
    ['JSON', json],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['JSON, all escaped', Array.from(value, (character) => escapeUnits(character)).join('')],
    ['URL', encodeURIComponent(value)],
    ['form', new URLSearchParams({ v: value }).toString().slice(2)],
    ['URL, all escaped', percent],
    ['URL, all escaped', percent.toUpperCase()],
    ['hex', hex],
    ['hex', hex.toUpperCase()],
    ['HTML', value.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)],
    ['HTML', value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')],
  ];
  for (const before of [0, 1, 2]) {
    const inner = base64At(bytes, before);
    forms.push([`base64, ${before} bytes before`, inner]);
    forms.push([`base64url, ${before} bytes before`, inner.replaceAll('+', '-').replaceAll('/', '_')]);
  }
  const seen = new Set<string>();
  return forms.filter(([, text]) => !seen.has(text) && seen.add(text));
}

/** What of the base64 text is the same whatever stands around the bytes. */
function base64At(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const last = (before + bytes.length) % 3 === 0 ? 0 : 1;
  return text.slice(before === 0 ? 0 : before + 1, text.length - last);
}

function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}

/** Every file below a folder, without those below `except`. */
export async function readFolder(folder: string, except: readonly string[] = []): Promise<readonly Haystack[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const wanted = paths.filter((path) => !except.some((name) => relative(folder, path).split('/')[0] === name));
  return Promise.all(wanted.map(async (name) => ({ name, bytes: await readFile(name) })));
}

/** Each table of each database of a server as text, system tables too: bytes are hexadecimal there. */
export async function dumpDatabases(serverUrl: string): Promise<readonly Haystack[]> {
  const names = await withDatabase(serverUrl, (rows) =>
    rows('SELECT datname AS text FROM pg_database WHERE datallowconn'),
  );
  const found: Haystack[] = [];
  for (const name of names) {
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    await withDatabase(url.href, async (rows) => {
      const tables = await rows(
        `SELECT c.oid::regclass::text AS text FROM pg_class c WHERE c.relkind IN ('r', 'm', 'p')`,
      );
      for (const table of tables) {
        const all = await rows(`SELECT t::text AS text FROM ${table} t`);
        found.push({ name: `${name}: ${table}`, bytes: Buffer.from(all.join('\n')) });
      }
    });
  }
  return found;
}

type Rows = (sql: string) => Promise<readonly string[]>;

async function withDatabase<T>(connectionString: string, work: (rows: Rows) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await work(async (sql) => (await client.query<{ text: string }>(sql)).rows.map(({ text }) => text));
  } finally {
    await client.end();
  }
}
