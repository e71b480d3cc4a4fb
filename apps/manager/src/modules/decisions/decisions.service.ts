import { isDeepStrictEqual } from 'node:util';
import type { DecisionAnswer } from '@authsec/manager-client/contract';
import type { Prisma } from '@authsec/prisma/tenant';
import { createPrincipal, decide } from '@authsec/rbac-core';
import { type Caller, onlyOf } from '../../authorization/caller.js';
import { compileRequirement } from '../../authorization/compile-requirement.js';
import { hashIdentifier } from '../../db/hash-identifier.js';
import { AppError } from '../../errors/app-error.js';
import type { Clock } from '../../ports/clock.js';
import { noteFacts } from '../../ports/current-request.js';
import { noTelemetry, type Telemetry } from '../../ports/telemetry.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import { toDecisionAnswer } from './decision.js';
import { type JudgedSubject, judgeSubject, type Subject } from './judge-subject.js';
import { findDecision, findDecisionByKey, insertDecision } from './decisions.repository.js';

export interface DecisionRequest {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly requirement: Prisma.InputJsonObject;
  readonly tool: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export type DecisionQuestion = Pick<DecisionRequest, 'requirement' | 'tool' | 'idempotencyKey'>;

export interface DecisionsService {
  /** Decides and keeps the decision; AppError 'not_found' for a subject that the caller may not ask about or that is not alive. */
  decide(request: DecisionRequest): Promise<DecisionAnswer>;
  /** The same for a subject that was judged just now. */
  decideJudged(caller: Caller, judged: JudgedSubject, question: DecisionQuestion): Promise<DecisionAnswer>;
  get(caller: Caller, decisionId: string): Promise<DecisionAnswer>;
}

export interface DecisionsOptions {
  readonly sessions: SessionsService;
  readonly clock: Clock;
  readonly telemetry?: Pick<Telemetry, 'record'>;
}

export function createDecisionsService(options: DecisionsOptions): DecisionsService {
  const { sessions, clock, telemetry = noTelemetry } = options;
  const service: DecisionsService = {
    async decide({ caller, subject, requirement, ...rest }) {
      compileRequirement(requirement);
      const judged = await judgeSubject(sessions, caller, subject, clock.now());
      return service.decideJudged(caller, judged, { requirement, ...rest });
    },

    async decideJudged(caller, { subject, sessionId, grants, policyVersion }, { requirement, tool, idempotencyKey }) {
      const startedAt = clock.monotonic();
      const compiled = compileRequirement(requirement);
      const decision = decide(createPrincipal(grants), compiled);
      const key = idempotencyKey === undefined ? null : hashKey(caller.application.id, idempotencyKey);
      const row = await insertDecision(caller.db, {
        at: new Date(clock.now()),
        applicationId: caller.application.id,
        subject,
        sessionId,
        tool: tool ?? null,
        requirement,
        allowed: decision.allowed,
        code: decision.code,
        decision: decision as unknown as Prisma.InputJsonObject,
        policyVersion,
        idempotencyKey: key,
      });
      if (!row) return repeat(caller, key ?? '', { subject, sessionId, tool: tool ?? null, requirement });
      noteFacts({ decision_id: row.id });
      const { tenantId } = caller;
      const { allowed, code } = decision;
      telemetry.record({ kind: 'decision', tenantId, allowed, code, seconds: (clock.monotonic() - startedAt) / 1000 });
      return toDecisionAnswer(row);
    },

    async get(caller, decisionId) {
      const row = await findDecision(caller.db, decisionId, onlyOf(caller));
      if (!row) throw new AppError('not_found', 'no such decision within reach');
      return toDecisionAnswer(row);
    },
  };
  return service;
}

function hashKey(applicationId: string, idempotencyKey: string): string {
  return hashIdentifier(`${applicationId}\n${idempotencyKey}`);
}

/** The answer that was given under the key, if the question was the same. */
async function repeat(
  caller: Caller,
  key: string,
  question: { subject: string; sessionId: string | null; tool: string | null; requirement: unknown },
): Promise<DecisionAnswer> {
  const row = await findDecisionByKey(caller.db, key);
  if (!row) throw new AppError('internal_error', 'a decision was neither written nor found');
  const { subject, sessionId, tool, requirement } = row;
  if (!isDeepStrictEqual({ subject, sessionId, tool, requirement }, question)) {
    throw new AppError('conflict', 'the idempotency key was used for another question');
  }
  return toDecisionAnswer(row);
}
