import type { DecisionAnswer } from '@authsec/manager-client/contract';
import type { Decision as DecisionRow } from '@authsec/prisma/tenant';
import { type Decision, explainReasons } from '@authsec/rbac-core';

export function toDecisionAnswer(row: DecisionRow): DecisionAnswer {
  return {
    decision_id: row.id,
    at: row.at.toISOString(),
    allowed: row.allowed,
    code: row.code,
    reasons: explainReasons(row.decision as unknown as Decision),
    sub: row.subject,
    sid: row.sessionId,
    tool: row.tool,
    policy_version: row.policyVersion.toString(),
  };
}
