/** A permission `resource:action` taken apart at its last colon; the resource may have colons of its own. */
export interface Permission {
  readonly name: string;
  readonly resource: string;
  readonly action: string;
  /** The resource between its colons: `['authsec', 'tenants']` of `authsec:tenants:read`. */
  readonly resourceSegments: readonly string[];
  /** Begins with `authsec:`: only grants that literally begin so can cover it. */
  readonly reserved: boolean;
}

/** `undefined` for what is not a permission: no colon, or nothing between two colons. */
export function parsePermission(name: string): Permission | undefined {
  const segments = name.split(':');
  if (segments.length < 2 || segments.includes('')) return undefined;
  const resourceSegments = segments.slice(0, -1);
  return {
    name,
    resource: resourceSegments.join(':'),
    action: segments[segments.length - 1] as string,
    resourceSegments,
    reserved: segments[0] === 'authsec',
  };
}
