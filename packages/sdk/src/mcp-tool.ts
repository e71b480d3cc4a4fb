import { type AuthSecTool, type ToolHandlerOf, type ToolSettings, defineTool } from './tool-server/define-tool.js';
import type { PublicArguments, ToolInput } from './tool-server/tool-input.js';

/** A public tool: anyone may list and call it, before login too. Who is signed in is there as `arguments._user_info`. */
export function mcpTool<const Input extends ToolInput | undefined = undefined>(
  name: string,
  options: ToolSettings<Input>,
  handler: ToolHandlerOf<PublicArguments<Input>>,
): AuthSecTool {
  const { title, description, inputSchema, annotations, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new TypeError(`${name}: ${unknown}: no such option of a public tool; protectedByAuthSec takes requirements`);
  }
  const settings = { title, description, inputSchema, annotations };
  return defineTool({ name, rule: { public: true }, settings, handler });
}
