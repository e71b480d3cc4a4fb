/** Decides which of a child's log lines also go to the terminal. */
export interface ChildOutput {
  take(line: string): void;
  /** The last lines, for when the child ends unexpectedly. */
  tail(): readonly string[];
}

const shown = new Set(['warn', 'error', 'fatal']);
const kept = 15;

export interface ChildOutputOptions {
  readonly name: string;
  /** Everything, not only warnings and errors. */
  readonly all: boolean;
  readonly print: (line: string) => void;
}

/** Structured (pino) lines are shown from level warn on; other lines only when all are. */
export function createChildOutput({ name, all, print }: ChildOutputOptions): ChildOutput {
  const lines: string[] = [];
  return {
    take(line) {
      lines.push(line);
      if (lines.length > kept) lines.shift();
      const entry = parseEntry(line);
      if (all) print(`${name}: ${line}`);
      else if (entry && shown.has(entry.level)) print(`${name}: ${entry.level}: ${entry.msg}`);
    },
    tail: () => lines,
  };
}

function parseEntry(line: string): { level: string; msg: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return typeof level === 'string' ? { level, msg: typeof msg === 'string' ? msg : line } : undefined;
  } catch {
    return undefined;
  }
}
