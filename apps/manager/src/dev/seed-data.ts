/** What a role or a group gives. */
export interface SeedBundle {
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  readonly scopes?: readonly string[];
  readonly resources?: readonly string[];
}

export interface SeedPerson {
  readonly email: string;
  readonly displayName: string;
  /** One line for the table that `pnpm dev` prints. */
  readonly rights: string;
  readonly roles?: readonly string[];
  /** Roles that ended in the past. */
  readonly expiredRoles?: readonly string[];
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  readonly resources?: readonly string[];
  /** The tools of the demo that come to be theirs, sorted; the end-to-end test holds them to what the SDK shows. */
  readonly tools: readonly string[];
}

export interface SeedTenant {
  readonly tenantId: string;
  readonly displayName: string;
  readonly roles: Readonly<Record<string, SeedBundle>>;
  readonly groups: Readonly<Record<string, SeedBundle>>;
  readonly people: readonly SeedPerson[];
  /** Absent where the tenant has no demo endpoint. */
  readonly demo?: { readonly scopes: readonly string[] };
}

export const publicTools = ['ping'] as const;

export const operatorRole = 'authsec-admin';

const acme: SeedTenant = {
  tenantId: 'acme-corp',
  displayName: 'Acme Corp',
  demo: { scopes: ['read', 'write', 'calculate'] },
  roles: {
    admin: { permissions: ['projects:*'], scopes: ['read', 'write', 'calculate'], resources: ['analytics'] },
    developer: { permissions: ['projects:read', 'projects:create'], scopes: ['read', 'calculate'] },
    analyst: { scopes: ['read'] },
  },
  groups: { engineering: { roles: ['developer'] } },
  people: [
    {
      email: 'ada@acme-corp.example',
      displayName: 'Ada Admin',
      rights: 'role admin',
      roles: ['admin'],
      tools: ['admin_dashboard', 'calculator', 'delete_project', 'hello', 'view_analytics'],
    },
    {
      email: 'dev@acme-corp.example',
      displayName: 'Devi Developer',
      rights: 'role developer, by group engineering',
      groups: ['engineering'],
      tools: ['calculator', 'hello'],
    },
    {
      email: 'ana@acme-corp.example',
      displayName: 'Ana Analyst',
      rights: 'role analyst and resource analytics',
      roles: ['analyst'],
      resources: ['analytics'],
      tools: ['hello', 'view_analytics'],
    },
    { email: 'nora@acme-corp.example', displayName: 'Nora Nothing', rights: 'nothing', tools: ['hello'] },
    {
      email: 'eve@acme-corp.example',
      displayName: 'Eve Expired',
      rights: 'role admin, expired',
      expiredRoles: ['admin'],
      tools: ['hello'],
    },
  ],
};

/** The same names as at Acme with other rights behind them: a role is its tenant's own. */
const globex: SeedTenant = {
  tenantId: 'globex',
  displayName: 'Globex',
  demo: { scopes: ['read', 'calculate'] },
  roles: {
    admin: { scopes: ['read'], resources: ['analytics'] },
    developer: { permissions: ['projects:delete'] },
    analyst: { scopes: ['read', 'calculate'] },
  },
  groups: { engineering: { roles: ['developer'], scopes: ['calculate'] }, insight: { resources: ['analytics'] } },
  people: [
    {
      email: 'gus@globex.example',
      displayName: 'Gus Admin',
      rights: 'role admin',
      roles: ['admin'],
      tools: ['admin_dashboard', 'hello', 'view_analytics'],
    },
    {
      email: 'dora@globex.example',
      displayName: 'Dora Developer',
      rights: 'role developer and scope calculate, by group engineering',
      groups: ['engineering'],
      tools: ['calculator', 'delete_project', 'hello'],
    },
    {
      email: 'alan@globex.example',
      displayName: 'Alan Analyst',
      rights: 'role analyst, resource analytics by group insight',
      roles: ['analyst'],
      groups: ['insight'],
      tools: ['calculator', 'hello', 'view_analytics'],
    },
    { email: 'nick@globex.example', displayName: 'Nick Nothing', rights: 'nothing', tools: ['hello'] },
    {
      email: 'ed@globex.example',
      displayName: 'Ed Expired',
      rights: 'role admin, expired; scope calculate',
      expiredRoles: ['admin'],
      scopes: ['calculate'],
      tools: ['calculator', 'hello'],
    },
  ],
};

export const systemTenant: SeedTenant = {
  tenantId: 'system',
  displayName: 'System',
  roles: {},
  groups: {},
  people: [
    {
      email: 'operator@system.example',
      displayName: 'Operator',
      rights: `role ${operatorRole}`,
      roles: [operatorRole],
      tools: [],
    },
  ],
};

export const demoTenants: readonly SeedTenant[] = [acme, globex];
