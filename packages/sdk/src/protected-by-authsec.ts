import type { Requirement } from '@authsec/rbac-core';
import { type AuthSecTool, type ToolHandlerOf, type ToolSettings, defineTool } from './tool-server/define-tool.js';
import type { ProtectedArguments, ToolInput } from './tool-server/tool-input.js';

/** Who may use the tool (nothing said: any signed-in person), and what a model is told of it. */
export type ProtectedToolOptions<Input extends ToolInput | undefined> = Requirement & ToolSettings<Input>;

/**
 * A tool for those who hold what it asks for, hidden from all others. The handler finds the person as
 * `arguments._user_info`. Throws AuthSecError or a TypeError for what is wrong with the declaration.
 */
export function protectedByAuthSec<const Input extends ToolInput | undefined = undefined>(
  name: string,
  options: ProtectedToolOptions<Input>,
  handler: ToolHandlerOf<ProtectedArguments<Input>>,
): AuthSecTool {
  const { title, description, inputSchema, annotations, ...rule } = options;
  const settings = { title, description, inputSchema, annotations };
  return defineTool({ name, rule, settings, handler });
}
