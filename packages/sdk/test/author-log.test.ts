import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthorLog } from '../src/author-log.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe('what the author is told', () => {
  let lines: string[];
  const write = (line: string) => void lines.push(line);
  beforeEach(() => {
    lines = [];
  });

  test('without a logger only warnings and errors reach stderr', () => {
    const log = createAuthorLog({ debug: false, write });
    log.debug('d');
    log.info('i');
    log.warn('w', { code: 'x' });
    log.error('e');
    expect(lines).toEqual(['[authsec] warn: w {"code":"x"}\n', '[authsec] error: e\n']);
  });

  test('with AUTHSEC_DEBUG=1 everything does, beside the logger', () => {
    const told: unknown[] = [];
    const logger = { ...silent, debug: (...given: unknown[]) => void told.push(given) };
    createAuthorLog({ logger, debug: true, write }).debug('hidden', { tool: 'admin' });
    expect(lines).toEqual(['[authsec] debug: hidden {"tool":"admin"}\n']);
    expect(told).toEqual([['hidden', { tool: 'admin' }]]);
  });

  test('with a logger alone stderr is left to it', () => {
    createAuthorLog({ logger: silent, debug: false, write }).error('e');
    expect(lines).toEqual([]);
  });

  test('a logger that throws harms nobody', () => {
    const failing = () => {
      throw new Error('disk full');
    };
    const logger = { debug: failing, info: failing, warn: failing, error: failing };
    expect(() => createAuthorLog({ logger, debug: false, write }).error('e')).not.toThrow();
  });
});

describe('AUTHSEC_DEBUG', () => {
  const before = process.env.AUTHSEC_DEBUG;
  afterEach(() => {
    if (before === undefined) delete process.env.AUTHSEC_DEBUG;
    else process.env.AUTHSEC_DEBUG = before;
  });

  test('counts only as 1', async () => {
    const { systemEnvironment } = await import('../src/session/login-service.js');
    for (const value of ['', '0', 'true']) {
      process.env.AUTHSEC_DEBUG = value;
      expect(systemEnvironment().debug).toBe(false);
    }
    process.env.AUTHSEC_DEBUG = '1';
    expect(systemEnvironment().debug).toBe(true);
  });
});
