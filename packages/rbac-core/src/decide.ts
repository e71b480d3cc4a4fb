import { type CompiledExpression, CompiledRequirement } from './compile-requirement.js';
import type { Allowed, Decision, Denied, MissingRightCode, Reason } from './decision.js';
import { Principal } from './principal.js';

const allowed: Allowed = Object.freeze({ allowed: true, code: 'allowed', reasons: Object.freeze([] as const) });

/** Denying is an answer; a TypeError is thrown only for arguments that `createPrincipal` and `compileRequirement` did not make. */
export function decide(principal: Principal, requirement: CompiledRequirement): Decision {
  if (!(principal instanceof Principal)) throw new TypeError('principal must be made by createPrincipal()');
  if (!(requirement instanceof CompiledRequirement)) {
    throw new TypeError('requirement must be made by compileRequirement()');
  }
  return isMet(requirement.expression, principal) ? allowed : deny(requirement.expression, principal);
}

function isMet(expression: CompiledExpression, principal: Principal): boolean {
  if (expression.op === 'rights') return principal.holdsAny(expression.rights);
  if (expression.op === 'allOf') {
    for (const part of expression.parts) if (!isMet(part, principal)) return false;
    return true;
  }
  if (expression.op === 'anyOf') {
    for (const part of expression.parts) if (isMet(part, principal)) return true;
    return false;
  }
  return expression.op === 'always';
}

function deny(expression: CompiledExpression, principal: Principal): Denied {
  if (expression.op === 'rights') return expression.denied;
  const reasons = findReasons(expression, principal);
  return Object.freeze({ allowed: false, code: commonCode(reasons) ?? 'requirement_not_met', reasons });
}

function findReasons(expression: CompiledExpression, principal: Principal): readonly Reason[] {
  if (expression.op === 'rights') return expression.denied.reasons;
  if (expression.op === 'always') return [];
  if (expression.op === 'anyOf') {
    const alternatives = Object.freeze(expression.parts.map((part) => findReasons(part, principal)));
    return Object.freeze([Object.freeze({ code: 'requirement_not_met' as const, alternatives })]);
  }
  const reasons: Reason[] = [];
  for (const part of expression.parts) {
    if (!isMet(part, principal)) reasons.push(...findReasons(part, principal));
  }
  return Object.freeze(reasons);
}

/** The code of every right that is missing, at any depth; `undefined` when there are several. */
function commonCode(reasons: readonly Reason[]): MissingRightCode | undefined {
  let common: MissingRightCode | undefined;
  for (const reason of reasons) {
    const code = reason.code === 'requirement_not_met' ? commonCode(reason.alternatives.flat()) : reason.code;
    if (code === undefined || (common !== undefined && common !== code)) return undefined;
    common = code;
  }
  return common;
}
