import { Writable } from 'node:stream';
import { createLogger } from '../../src/integrations/logger.js';

/** A logger whose lines a test reads. */
export function createKeptLog(level: string) {
  let text = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return {
    logger: createLogger(level, sink),
    text: (): string => text,
    clear: (): void => void (text = ''),
  };
}
