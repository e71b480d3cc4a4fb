export type PolicyErrorCode = 'ambiguous_requirement' | 'invalid_requirement';

/** A requirement that cannot be taken: a mistake of whoever wrote it, to be found at start-up. Denying is never an error. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code: PolicyErrorCode;
  /** Where in the requirement, such as `allOf[1].role`; empty for the requirement itself. */
  readonly path: string;

  constructor(code: PolicyErrorCode, message: string, path = '') {
    super(message);
    this.code = code;
    this.path = path;
  }
}
