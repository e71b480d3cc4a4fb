import type { LoginErrorCode } from '../authsec-error.js';
import type { ToolResult } from '../session/caller-session.js';
import { errorTexts } from './error-texts.js';

/** Structured content, and the same as JSON text for clients that show only that. */
export function toResult(structuredContent: Readonly<Record<string, unknown>>): ToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

/** `detail` replaces the message where it says more; it must hold nothing that the caller may not know. */
export function toErrorResult(code: LoginErrorCode, detail?: string): ToolResult {
  const { message, nextStep } = errorTexts[code];
  return { ...toResult({ error: code, message: detail ?? message, next_step: nextStep }), isError: true };
}

/** An output schema that also allows the error: MCP clients validate structured content of either. */
export function outputSchema(properties: Readonly<Record<string, unknown>>, required: readonly string[]) {
  return {
    type: 'object' as const,
    properties: {
      ...properties,
      error: { type: 'string', description: 'Set only when the call failed: why, for programs.' },
      message: { type: 'string', description: 'What happened or what to do, for people.' },
      next_step: { type: 'string', description: 'What to do next.' },
    },
    anyOf: [{ required }, { required: ['error', 'message', 'next_step'] }],
  };
}

const names = { type: 'array', items: { type: 'string' } };

export const userInfoSchema = {
  type: 'object',
  properties: {
    email: { type: 'string' },
    sub: { type: 'string' },
    tenant_id: { type: 'string' },
    roles: names,
    groups: names,
    scopes: names,
    resources: names,
  },
  required: ['email', 'sub', 'tenant_id', 'roles', 'groups', 'scopes', 'resources'],
};
export const toolNamesSchema = {
  ...names,
  description: 'Tools that the person may use, beside the login and public tools.',
};
