import { type CompiledExpression, CompiledRequirement } from './compile-requirement.js';
import type { Allowed, Decision, Denied, Reason } from './decision.js';
import { Principal } from './principal.js';
import type { RightKind } from './right-kind.js';

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
  const kinds = new Set<RightKind>();
  const reasons = findReasons(expression, principal, kinds);
  const [kind, another] = kinds;
  const code = kind !== undefined && another === undefined ? (`${kind}_missing` as const) : 'requirement_not_met';
  return Object.freeze({ allowed: false, code, reasons });
}

function findReasons(expression: CompiledExpression, principal: Principal, kinds: Set<RightKind>): readonly Reason[] {
  if (expression.op === 'rights') {
    kinds.add(expression.rights.kind);
    return Object.freeze([expression.missing]);
  }
  if (expression.op === 'allOf') {
    const unmet = expression.parts.filter((part) => !isMet(part, principal));
    return Object.freeze(unmet.flatMap((part) => findReasons(part, principal, kinds)));
  }
  if (expression.op === 'anyOf') {
    const alternatives = Object.freeze(expression.parts.map((part) => findReasons(part, principal, kinds)));
    return Object.freeze([Object.freeze({ code: 'requirement_not_met' as const, alternatives })]);
  }
  return Object.freeze([]);
}
