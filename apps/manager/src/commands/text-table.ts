import Table from 'cli-table3';

export interface TextColumn {
  readonly title: string;
  /** As wide as what is in it, up to so many characters. */
  readonly most?: number;
  /** Its part of what is left over. */
  readonly share?: number;
}

const [narrowest, usual, widest] = [80, 100, 160];

/** A table no wider than the terminal (100 characters where there is none), in which nothing is cut off. */
export function formatTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  terminalColumns = usual,
): string {
  const width = Math.min(Math.max(terminalColumns, narrowest), widest);
  const widths = widthsOf(columns, rows, width - columns.length - 1);
  const table = new Table({
    head: columns.map(({ title }) => title),
    colWidths: widths,
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    table.push(row.map((text, index) => breakWords(text, (widths[index] ?? narrowest) - padding)));
  }
  return table.toString();
}

const padding = 2;

function widthsOf(columns: readonly TextColumn[], rows: readonly (readonly string[])[], width: number): number[] {
  const fitted = columns.map(({ title, most = 0 }, index) =>
    most === 0 ? 0 : padding + Math.min(most, Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0))),
  );
  const left = width - fitted.reduce((sum, one) => sum + one, 0);
  const shares = columns.reduce((sum, { share = 0 }) => sum + share, 0);
  return columns.map(({ share = 0 }, index) => fitted[index] || Math.floor((left * share) / shares));
}

/** Words that are wider than their column go on in the next line, if they can after what separates their parts. */
function breakWords(text: string, width: number): string {
  const part = new RegExp(`.{1,${width}}$|.{1,${width - 1}}[./_,:-]|.{1,${width}}`, 'g');
  return text.replaceAll(/\S+/g, (word) => (word.length <= width ? word : (word.match(part) ?? []).join('\n')));
}
