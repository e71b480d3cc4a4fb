import type { ToolRegistry } from '../tool-registry.js';
import type { CallerState } from '../session/caller-session.js';
import type { GuardContext } from './guard-context.js';
import { type JsonObject, isObject } from './json-rpc.js';
import { type ListWatch, createListWatch, isSame } from './list-watch.js';
import { visibleTools } from './make-answer.js';
import { mergePages } from './pages.js';

/** What this session is shown, without a client's asking. */
export interface OwnLists {
  /** Names, sorted, of what `tools/list` now shows beyond login and public tools. */
  accessibleTools(): Promise<readonly string[]>;
  /** Sends `list_changed` for what has changed for this session, and for nothing else. */
  readonly watch: ListWatch;
}

export function createOwnLists(context: GuardContext, registry: ToolRegistry): OwnLists {
  const { tools, pipeline } = context;

  const watch = createListWatch({
    describe() {
      const state = pipeline.identify();
      const names = tools.names();
      const isSignedIn = state.kind !== 'anonymous';
      if (names === undefined) return askTools(state).then((list) => [isSignedIn, JSON.stringify(list)]);
      const shown = names.filter((name) => pipeline.decide(state, name).kind !== 'hidden');
      return [isSignedIn, ...shown.flatMap((name) => [name, ...tools.partsOf(name)])];
    },
    async changed([wasSignedIn, ...toolsBefore], [isSignedIn, ...toolsNow]) {
      if (!isSame(toolsBefore, toolsNow)) await say('tools');
      if (wasSignedIn === isSignedIn) return;
      if (canSay('resources')) await say('resources');
      if (canSay('prompts')) await say('prompts');
    },
    failed: context.hooks.report,
  });

  return {
    watch,
    async accessibleTools() {
      const state = pipeline.identify();
      const names = tools.names() ?? (await askTools(state)).map((tool) => String(tool['name']));
      const declared = names.filter((name) => !registry.ruleOf(name).public);
      return declared.filter((name) => pipeline.decide(state, name).kind !== 'hidden').sort();
    },
  };

  /** A low-level server alone knows its tools. */
  async function askTools(state: CallerState): Promise<readonly JsonObject[]> {
    return visibleTools(context, (await listAllTools(context, state)) ?? [], state);
  }

  function canSay(kind: 'resources' | 'prompts'): boolean {
    const capability = context.capabilities[kind];
    return isObject(capability) && capability['listChanged'] === true;
  }

  async function say(kind: 'tools' | 'resources' | 'prompts'): Promise<void> {
    if (!context.client.initialized) return;
    await context.hooks.send({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` });
  }
}

/** The server's tools as it lists them, all pages, whoever may see them; undefined where it does not answer with a list. */
export async function listAllTools(
  context: GuardContext,
  state: CallerState = { kind: 'anonymous' },
): Promise<readonly unknown[] | undefined> {
  if (!context.opened.handles('tools/list')) return undefined;
  const asked = { extra: undefined, state };
  const { result } = await context.ask('tools/list', {}, asked);
  if (!isObject(result)) return undefined;
  const merged = await mergePages(context, { method: 'tools/list', key: 'tools', ...asked }, result);
  const list = 'error' in merged ? undefined : merged.result['tools'];
  return Array.isArray(list) ? list : undefined;
}
