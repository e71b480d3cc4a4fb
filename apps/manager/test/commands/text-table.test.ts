import { describe, expect, test } from '@jest/globals';
import { formatTable } from '../../src/commands/text-table.js';

const columns = [
  { title: 'check', most: 10 },
  { title: 'found', share: 3 },
  { title: 'what to do', share: 2 },
];
const long = `tenant ${'a'.repeat(39)}`;
const url = `https://${'b'.repeat(60)}.example.com/t/system/.well-known/openid-configuration`;
const index = 'service_connect_attempts.service_connect_attempts_application_id_idx';

/** What stands in one column, put together again. */
const readColumn = (table: string, column: number) =>
  table
    .split('\n')
    .map((line) => line.split('│')[column + 1]?.trim() ?? '')
    .join('');

describe('a table', () => {
  test.each([
    [undefined, 100],
    [100, 100],
    [120, 120],
    [20, 80],
    [1_000, 160],
  ])('in a terminal of %s columns is at most %s wide', (terminal, most) => {
    const lines = formatTable(columns, [[long, `missing ${index}`, url]], terminal).split('\n');
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[0]!.length).toBeLessThanOrEqual(most);
    expect(lines[0]!.length).toBeGreaterThan(most - 4);
  });

  test('cuts nothing off, however long a word is', () => {
    const table = formatTable(columns, [[long, `missing ${index}`, url]]);
    expect(table).not.toContain('…');
    expect(readColumn(table, 0)).toBe(`check${long.replaceAll(' ', '')}`);
    expect(readColumn(table, 1)).toBe(`foundmissing${index}`);
    expect(readColumn(table, 2)).toBe(`what to do${url}`);
  });

  test('breaks a long name after what separates its parts, and no earlier than it must', () => {
    const [first, second] = formatTable([{ title: 'x', share: 1 }], [[`${'c'.repeat(50)}_${'d'.repeat(40)}_e`]], 80)
      .split('\n')
      .slice(3, 5)
      .map((line) => line.replaceAll(/[│ ]/g, ''));
    expect([first, second]).toEqual([`${'c'.repeat(50)}_`, `${'d'.repeat(40)}_e`]);
  });

  test('keeps the lines of a text', () => {
    expect(formatTable([{ title: 'x', share: 1 }], [['one\n- two']], 80)).toMatch(/│ one +│\n│ - two +│/);
  });
});
