import { ConfigError } from '../config/load-config.js';
import { AppError } from '../errors/app-error.js';
import { redactText } from '../integrations/logger.js';

/** What a command has of the process that it runs in. */
export interface CommandContext {
  readonly process: Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr' | 'on' | 'exit'>;
  /** One line, or several, on standard output. */
  print(text: string): void;
  /** The same on standard error. */
  warn(text: string): void;
}

/** Ends a command with a message for the person who gave it and no stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

export function createCommandContext(process: CommandContext['process']): CommandContext {
  return {
    process,
    print: (text) => void process.stdout.write(`${text}\n`),
    warn: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** An error in one line, with its causes and without what is secret. */
export function describeError(error: unknown): string {
  const messages: string[] = [];
  for (let one = error, depth = 0; one !== undefined && depth < 4; depth++) {
    const { message, code, cause } = Object(one) as { message?: string; code?: string; cause?: unknown };
    const text = plainText(message) || code || 'an unknown error';
    if (!messages.some((earlier) => earlier.includes(text))) messages.push(text);
    one = cause;
  }
  return redactText(messages.join(': ')).replaceAll(/\s+/g, ' ').slice(0, 500);
}

/** Without what Prisma says of its own calls: what PostgreSQL said is in the middle of it. */
function plainText(message = ''): string {
  if (message === 'timeout expired') return 'no answer in time';
  return message
    .replace(/^\s*Invalid `[^`]*` invocation[^:]*:\s*/, '')
    .replace(/^external connector error\s+(Error querying the database: )?/, '')
    .replace(/\s+0: \w+::[\s\S]*$/, '');
}

/** What the person who gave the command reads of an error. */
export function explainError(error: unknown): string {
  if (error instanceof ConfigError || error instanceof CommandFailure) return redactText(error.message);
  const fields = error instanceof AppError ? (error.fields ?? []) : [];
  return [describeError(error), ...fields.map(({ pointer, detail }) => `  ${pointer.slice(1)}: ${detail}`)].join('\n');
}
