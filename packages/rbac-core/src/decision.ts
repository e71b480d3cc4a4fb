import type { RightKind } from './right-kind.js';

export type MissingRightCode = `${RightKind}_missing`;

/** Any one of `names` would have been enough, and none is held. */
export interface MissingRight {
  readonly code: MissingRightCode;
  readonly kind: RightKind;
  readonly names: readonly string[];
}

/** Rights of different kinds would each have been enough; each alternative lists what is missing for it. */
export interface NoAlternativeMet {
  readonly code: 'requirement_not_met';
  readonly alternatives: readonly (readonly Reason[])[];
}

export type Reason = MissingRight | NoAlternativeMet;

/** `requirement_not_met`: what is missing is of several kinds; otherwise the code names the one kind. */
export type DenialCode = MissingRightCode | 'requirement_not_met';

export interface Allowed {
  readonly allowed: true;
  readonly code: 'allowed';
  readonly reasons: readonly [];
}

/** Every reason must go away for the decision to change. */
export interface Denied {
  readonly allowed: false;
  readonly code: DenialCode;
  readonly reasons: readonly Reason[];
}

/** Frozen plain data. */
export type Decision = Allowed | Denied;
