import { AuthSecError } from '../authsec-error.js';
import { type ToolHandler, protectHandler } from '../call-pipeline.js';
import type { ToolRegistry } from '../tool-registry.js';
import type { OpenedServer, RegisteredTool, ToolChanges } from './mcp-server.js';
import { reservedArgumentsOf } from './reserved-names.js';

/** The tools of one protected server. */
export interface ServerTools {
  /** True for a low-level server, which knows its tools alone. */
  listsItself(): boolean;
  /** Whether `tools` has an entry of this name. */
  isDeclared(name: string): boolean;
  /** Names of the enabled tools; undefined for a low-level server. */
  names(): readonly string[] | undefined;
  /** True for every name of a low-level server. */
  has(name: string): boolean;
  /** Whether it is known to be the name of a tool without asking the server: nobody can have made it up. */
  knows(name: string): boolean;
  /** What a listing of this tool is made of, to be compared by identity. */
  partsOf(name: string): readonly unknown[];
  /** Before connect: the handlers of an author without tools, and every entry checked against what is registered. */
  prepare(): void;
}

/** Wraps every tool of the server, those there and those to come, and checks them; throws what `ToolRegistry` and `reserved_argument` say. */
export function takeTools(options: {
  readonly opened: OpenedServer;
  readonly owner: object;
  readonly registry: ToolRegistry;
}): ServerTools {
  const { opened, owner, registry } = options;
  const { highLevel } = opened;
  if (highLevel === undefined) {
    return {
      listsItself: () => true,
      isDeclared: registry.hasEntry,
      names: () => undefined,
      has: () => true,
      knows: registry.hasEntry,
      partsOf: () => [],
      prepare: () => {},
    };
  }
  const isConnected = (): boolean => opened.inner.transport !== undefined;
  const find = (name: string): RegisteredTool | undefined =>
    Object.hasOwn(highLevel._registeredTools, name) ? highLevel._registeredTools[name] : undefined;
  // Where the author set handlers of their own, the registered tools are not what is listed and called.
  const isOwn = (): boolean => highLevel._toolHandlersInitialized;

  for (const [name, tool] of Object.entries(highLevel._registeredTools)) {
    check(name, tool.inputSchema);
    adopt(name, tool);
    tool.update({ callback: tool.handler });
  }

  const create = highLevel._createRegisteredTool;
  highLevel._createRegisteredTool = function createProtectedTool(this: unknown, ...definition) {
    const [name, , , inputSchema] = definition;
    if (typeof name === 'string') check(name, inputSchema);
    const handler = definition.at(-1);
    const tool = create.apply(this ?? highLevel, [...definition.slice(0, -1), protectAny(handler)]);
    if (typeof name === 'string') adopt(name, tool);
    return tool;
  };

  return {
    listsItself: () => !isOwn(),
    isDeclared: registry.hasEntry,
    names: () => {
      if (!isOwn()) return undefined;
      return Object.keys(highLevel._registeredTools).filter((name) => find(name)?.enabled);
    },
    has: (name) => !isOwn() || find(name) !== undefined,
    knows: (name) => (isOwn() ? find(name) !== undefined : registry.hasEntry(name)),
    partsOf(name) {
      const tool = find(name);
      return [tool?.title, tool?.description, tool?.inputSchema, tool?.outputSchema, tool?.annotations, tool?._meta];
    },
    prepare() {
      if (!opened.handles('tools/list') && !opened.handles('tools/call')) highLevel.setToolRequestHandlers();
      if (isOwn()) registry.assertAllRegistered(new Set(Object.keys(highLevel._registeredTools)));
    },
  };

  function check(name: string, inputSchema: unknown): void {
    registry.assertMayRegister(name, isConnected());
    assertNothingReserved(name, inputSchema);
  }

  /** Keeps later changes of a tool under the same rules. */
  function adopt(registeredAs: string, tool: RegisteredTool): void {
    let current = registeredAs;
    const update = tool.update;
    tool.update = (changes: ToolChanges) => {
      const { name, callback, paramsSchema } = changes;
      if (typeof name === 'string' && name !== current) {
        registry.assertMayRegister(name, isConnected());
        if (registry.hasEntry(current) && !registry.hasEntry(name)) {
          throw new AuthSecError('unknown_tool', `renaming "${current}" to "${name}" would lose its entry in tools`);
        }
      }
      if (paramsSchema !== undefined) assertNothingReserved(current, paramsSchema);
      update.call(tool, callback === undefined ? changes : { ...changes, callback: protectAny(callback) });
      if (typeof name === 'string') current = name;
    };
  }

  function protectAny(handler: unknown): unknown {
    if (typeof handler === 'function') return protectHandler(owner, handler as ToolHandler);
    if (typeof handler !== 'object' || handler === null) return handler;
    return protectTaskHandler(owner, handler);
  }
}

type TaskHandler = Readonly<Partial<Record<'createTask' | 'getTask' | 'getTaskResult', ToolHandler>>>;

function protectTaskHandler(owner: object, handler: TaskHandler): TaskHandler {
  const { createTask, getTask, getTaskResult } = handler;
  return {
    ...handler,
    ...(createTask && { createTask: protectHandler(owner, createTask.bind(handler)) }),
    ...(getTask && { getTask: getTask.bind(handler) }),
    ...(getTaskResult && { getTaskResult: getTaskResult.bind(handler) }),
  };
}

function assertNothingReserved(name: string, inputSchema: unknown): void {
  const [reserved] = reservedArgumentsOf(inputSchema);
  if (reserved === undefined) return;
  throw new AuthSecError(
    'reserved_argument',
    `the input schema of "${name}" declares ${reserved}, which belongs to AuthSec`,
  );
}
