import { type Permission, parsePermission } from './permission.js';

/** Granted permissions, sorted by how they match, so that asking does not depend on how many there are. */
export interface PermissionIndex {
  readonly exact: ReadonlySet<string>;
  /** Resources granted with any action: `projects` of `projects:*`. */
  readonly resourcesWithAnyAction: ReadonlySet<string>;
  /** Actions granted on any resource outside `authsec`: `read` of `*:read`. */
  readonly actionsOnAnyResource: ReadonlySet<string>;
  readonly anything: boolean;
  /** Those with `*` for one segment of a longer resource, such as `authsec:*:read`. */
  readonly patterns: readonly Permission[];
}

/** What is not a permission, or has `*` as a part of a segment, covers nothing. */
export function createPermissionIndex(granted: Iterable<string>): PermissionIndex {
  const exact = new Set<string>();
  const resourcesWithAnyAction = new Set<string>();
  const actionsOnAnyResource = new Set<string>();
  const patterns: Permission[] = [];
  let anything = false;
  for (const name of granted) {
    const permission = parsePermission(name);
    if (permission === undefined) continue;
    if (!name.includes('*')) exact.add(name);
    else if (permission.resource === '*' && permission.action === '*') anything = true;
    else if (permission.resource === '*') actionsOnAnyResource.add(permission.action);
    else if (permission.resourceSegments.includes('*')) patterns.push(permission);
    else if (permission.action === '*') resourcesWithAnyAction.add(permission.resource);
  }
  return { exact, resourcesWithAnyAction, actionsOnAnyResource, anything, patterns };
}

/** `required` must have no `*`: see `isConcrete`. */
export function indexCovers(index: PermissionIndex, required: Permission): boolean {
  return (
    index.exact.has(required.name) ||
    index.resourcesWithAnyAction.has(required.resource) ||
    (!required.reserved && (index.anything || index.actionsOnAnyResource.has(required.action))) ||
    (index.patterns.length > 0 && index.patterns.some((pattern) => patternCovers(pattern, required)))
  );
}

/** Whether a permission names one thing, as a requirement must: no `*` anywhere. */
export function isConcrete(permission: Permission): boolean {
  return !permission.name.includes('*');
}

/**
 * Whether a granted permission covers a required one. In the grant, `*` stands for the whole action, for the whole
 * resource (`*:read`), or for one segment of a longer resource (`authsec:*:read`); a required one with `*` is covered by nothing.
 */
export function covers(granted: string, required: string): boolean {
  const permission = parsePermission(required);
  return (
    permission !== undefined && isConcrete(permission) && indexCovers(createPermissionIndex([granted]), permission)
  );
}

function patternCovers(pattern: Permission, required: Permission): boolean {
  if (required.reserved !== pattern.reserved) return false;
  if (pattern.action !== '*' && pattern.action !== required.action) return false;
  if (pattern.resourceSegments.length !== required.resourceSegments.length) return false;
  return pattern.resourceSegments.every((segment, i) => segment === '*' || segment === required.resourceSegments[i]);
}
