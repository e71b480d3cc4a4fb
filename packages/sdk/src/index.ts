export {
  allOf,
  anyOf,
  group,
  permission,
  type Requirement,
  type RequirementExpression,
  resource,
  role,
  scope,
} from '@authsec/rbac-core';
export type { Logger } from './author-log.js';
export { authsec, type AuthSec, type ProtectOptions } from './authsec.js';
export { AuthSecError, type AuthSecErrorCode } from './authsec-error.js';
export { currentUser, userInfoOf, type WithUserInfo } from './guard/caller-context.js';
export type { ToolDecision } from './guard/observe-call.js';
export { mcpTool } from './mcp-tool.js';
export { protectedByAuthSec, type ProtectedToolOptions } from './protected-by-authsec.js';
export { runMcpServerWithOAuth, type RunMcpServerOptions, type RunningMcpServer } from './run-mcp-server.js';
export { callContext, type ToolCallContext } from './services/call-context.js';
export type { Services } from './services/call-services.js';
export { type ServiceAccessCredentials, ServiceAccessSDK, type ServiceToken } from './services/service-access-sdk.js';
export type { CredentialType, RawCredential, ServiceDescription } from './services/raw-credential.js';
export type { ServiceFetch } from './services/service-fetch.js';
export type { ProtectableServer } from './guard/mcp-server.js';
export type { UserInfo } from './session/caller-session.js';
export type { AuthSecOptions } from './session/login-service.js';
export type { PublicTool, ToolRule, ToolRules } from './tool-registry.js';
export type { AuthSecTool, ToolContent, ToolReturn, ToolSettings } from './tool-server/define-tool.js';
export type { ProtectedArguments, PublicArguments, ToolInput } from './tool-server/tool-input.js';
