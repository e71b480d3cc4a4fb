import { withoutSecrets } from './services/live-secrets.js';

/** Where the author is told why a tool is hidden or a call refused; `console` is one. Never given secrets, tokens or codes. */
export interface Logger {
  debug(message: string, details?: Readonly<Record<string, unknown>>): void;
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** Tells the author's logger (which may throw without harm), and stderr: warnings and errors without a logger, everything with `debug`. */
export function createAuthorLog(options: {
  logger?: Logger | undefined;
  debug: boolean;
  write?: (line: string) => void;
}): Logger {
  const { logger, debug, write = writeToStderr } = options;
  const at =
    (level: (typeof levels)[number]) =>
    (said: string, given?: Readonly<Record<string, unknown>>): void => {
      const message = withoutSecrets(said);
      const details = withoutSecrets(given);
      try {
        logger?.[level](message, details);
      } catch {
        // The author's logger must not decide what a caller gets.
      }
      if (debug || (!logger && (level === 'warn' || level === 'error'))) {
        write(`[authsec] ${level}: ${message}${details ? ` ${JSON.stringify(details)}` : ''}\n`);
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** That nobody reads it any more, as of a host that closed its end, is an error event, which would end the process. */
function writeToStderr(line: string): void {
  const { stderr } = process;
  const ignore = (): void => {};
  stderr.once('error', ignore);
  try {
    stderr.write(line, (error) => {
      if (error && stderr.listenerCount('error') === 0) stderr.once('error', ignore);
    });
  } finally {
    stderr.removeListener('error', ignore);
  }
}
