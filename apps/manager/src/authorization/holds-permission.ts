import { covers, type Principal } from '@authsec/rbac-core';

/** Whether someone holds a permission that may itself have wildcards: what it stands for must be held entirely. */
export function holdsPermission(principal: Principal, permission: string): boolean {
  return principal.grants.permissions.some((held) => covers(held, permission) || includes(held, permission));
}

/** Segment by segment; a reserved name is included only in a grant that begins with it literally. */
function includes(held: string, permission: string): boolean {
  const wanted = permission.split(':');
  const segments = held.split(':');
  if (segments.length !== wanted.length || (wanted[0] === 'authsec' && segments[0] !== 'authsec')) return false;
  return segments.every((segment, index) => segment === '*' || segment === wanted[index]);
}
