/** The kinds of right, in the order in which they are judged and reported. */
export const rightKinds = ['role', 'group', 'scope', 'resource', 'permission'] as const;
export type RightKind = (typeof rightKinds)[number];

/** The name of the list that carries rights of a kind, in grants and in requirements. */
export const listNames = {
  role: 'roles',
  group: 'groups',
  scope: 'scopes',
  resource: 'resources',
  permission: 'permissions',
} as const satisfies Record<RightKind, string>;
export type ListName = (typeof listNames)[RightKind];
