import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

export default {
  testMatch: ['<rootDir>/{packages,apps}/*/test/**/*.test.ts', '<rootDir>/prisma/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  resolver: here('resolver.cjs'),
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  transformIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/.*/package.json'],
  globalSetup: here('global-setup.js'),
  globalTeardown: here('global-teardown.js'),
  reporters: ['default', here('summary-reporter.js')],
  // What others warn of hides what failed.
  silent: Boolean(process.env['CI']),
  testTimeout: 120_000,
  maxWorkers: 2,
};
