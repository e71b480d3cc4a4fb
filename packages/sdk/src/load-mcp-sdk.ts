import { AuthSecError } from './authsec-error.js';

const load = {
  // oxlint-disable no-restricted-imports -- an optional peer, and only where it was asked for
  'client/index.js': () => import('@modelcontextprotocol/sdk/client/index.js'),
  'inMemory.js': () => import('@modelcontextprotocol/sdk/inMemory.js'),
  'server/index.js': () => import('@modelcontextprotocol/sdk/server/index.js'),
  'server/stdio.js': () => import('@modelcontextprotocol/sdk/server/stdio.js'),
  'server/zod-compat.js': () => import('@modelcontextprotocol/sdk/server/zod-compat.js'),
  'server/zod-json-schema-compat.js': () => import('@modelcontextprotocol/sdk/server/zod-json-schema-compat.js'),
  'types.js': () => import('@modelcontextprotocol/sdk/types.js'),
  'validation/ajv': () => import('@modelcontextprotocol/sdk/validation/ajv'),
  // oxlint-enable no-restricted-imports
} as const;

type Loaded<Name extends keyof typeof load> = Awaited<ReturnType<(typeof load)[Name]>>;

/** A module of the MCP SDK, of which AuthSec imports nothing by itself. Throws `unsupported_mcp_sdk` where the package is absent. */
export async function loadMcpSdk<Name extends keyof typeof load>(name: Name): Promise<Loaded<Name>> {
  try {
    return (await load[name]()) as Loaded<Name>;
  } catch (cause) {
    const message = 'the package @modelcontextprotocol/sdk is needed for this: npm install @modelcontextprotocol/sdk';
    throw new AuthSecError('unsupported_mcp_sdk', message, { cause });
  }
}
