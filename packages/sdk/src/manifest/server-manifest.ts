import type { Logger } from '../author-log.js';
import { isObject } from '../guard/json-rpc.js';
import type { ServerTools } from '../guard/server-tools.js';
import type { ToolRegistry } from '../tool-registry.js';
import type { Manifests } from './manifests.js';
import { createToolManifest, type ToolManifest } from './tool-manifest.js';

/** The manifest of one connected server. */
export interface ServerManifest {
  /** Undefined while it is not known: nobody waits for it. */
  digest(): string | undefined;
  /** The tools may have changed: it is made, and published, in the background. */
  refresh(): void;
  close(): void;
}

export interface ServerManifestOptions {
  readonly manifests: Manifests;
  readonly tools: ServerTools;
  readonly registry: ToolRegistry;
  /** All tools as the server lists them, whoever may see them; undefined where it does not answer with a list. */
  readonly listTools: () => Promise<readonly unknown[] | undefined>;
  readonly log: Logger;
}

export function createServerManifest(options: ServerManifestOptions): ServerManifest {
  const { manifests, tools, registry, listTools, log } = options;
  let current: ToolManifest | undefined;
  let running = false;
  let again = false;
  let closed = false;

  async function make(): Promise<ToolManifest | undefined> {
    const fingerprint = fingerprintOf(tools, registry);
    const known = fingerprint === undefined ? undefined : manifests.known(fingerprint);
    if (known) return known;
    const definitions = await listTools();
    const made = definitions && createToolManifest(definitions, registry);
    if (made && fingerprint !== undefined) manifests.remember(fingerprint, made);
    return made;
  }

  async function run(): Promise<void> {
    do {
      again = false;
      const made = await make();
      if (closed) return;
      current = made;
      if (made) manifests.publish(made);
    } while (again);
  }

  function start(): void {
    run()
      .catch((error: unknown) => log.debug('the tools of this server have no manifest', { reason: String(error) }))
      .finally(() => (running = false));
  }

  return {
    digest: () => current?.digest,
    refresh() {
      again = true;
      if (running || closed) return;
      running = true;
      // After what is going on: registering ten tools is one change.
      setImmediate(start);
    },
    close() {
      closed = true;
    },
  };
}

/**
 * What tells the servers of one process apart without asking each for its list, which costs as much as a session has
 * tools. Undefined for a low-level server, which alone knows its tools.
 */
function fingerprintOf(tools: ServerTools, registry: ToolRegistry): string | undefined {
  const names = tools.names();
  if (names === undefined) return undefined;
  return JSON.stringify(
    names.map((name) => {
      const [title, description, inputSchema, outputSchema, annotations] = tools.partsOf(name);
      const schemas = [inputSchema, outputSchema].map(membersOf);
      return [name, title, description, annotations, ...schemas, registry.ruleOf(name)];
    }),
  );
}

function membersOf(schema: unknown): readonly string[] | null {
  if (!isObject(schema)) return null;
  const shape = schema['shape'];
  return Object.keys(isObject(shape) ? shape : schema);
}
