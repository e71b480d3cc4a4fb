import type { Prisma } from '@authsec/prisma/tenant';
import { type CompiledRequirement, compileRequirement as compile, PolicyError } from '@authsec/rbac-core';
import { AppError } from '../errors/app-error.js';

/** AppError 'ambiguous_requirement' or 'invalid_requirement' for what rbac-core does not take. */
export function compileRequirement(requirement: Prisma.InputJsonObject): CompiledRequirement {
  try {
    return compile(requirement);
  } catch (cause) {
    if (cause instanceof PolicyError) throw new AppError(cause.code, cause.message, { cause });
    throw cause;
  }
}
