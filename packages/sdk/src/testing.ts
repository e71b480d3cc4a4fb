export { type TestClient, type ToolCaller } from './testing/test-client.js';
export { createTestManager, type TestManager, type TestManagerOptions } from './testing/test-manager.js';
export type { TestService } from './testing/test-services.js';
export type { TestAssignment, TestHoldings, TestPerson, TestRights } from './testing/test-people.js';
