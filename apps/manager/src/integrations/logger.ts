import { type DestinationStream, type Logger, pino } from 'pino';
import { currentRequest } from '../ports/current-request.js';

const secrets: readonly [RegExp, string][] = [
  [/[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, '[token]'],
  [/\b(Bearer|Basic)\s+[^\s"',]+/gi, '$1 [redacted]'],
  [/:\/\/[^\s/@]*:[^\s/@]*@/g, '://[redacted]@'],
];

/** Takes tokens, credentials in headers and passwords in URLs out of a text. */
export function redactText(text: string): string {
  return secrets.reduce((result, [pattern, replacement]) => result.replaceAll(pattern, replacement), text);
}

/** Structured logs on standard output, each line with the request that it belongs to; errors are written without what foreign errors carry beside name, code and message. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => ({ ...currentRequest() }),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
    },
    // Not the asynchronous default: that one never ends at exit when who reads the log is gone.
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

interface LoggedError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { name: 'NonError', message: redactText(String(error)).slice(0, 500) };
  const code: unknown = Reflect.get(error, 'code');
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    message: redactText(error.message).slice(0, 1_000),
    ...(frames && { stack: frames.slice(0, 12).join('\n') }),
    ...(error.cause !== undefined && depth < 3 && { cause: serializeError(error.cause, depth + 1) }),
  };
}
