import type { GitHubRepository } from './github-api.js';

/** What a role or a group gives. */
export interface SeedBundle {
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  readonly scopes?: readonly string[];
  readonly resources?: readonly string[];
}

/** A provider of the development stack as a tenant has it. */
export interface SeedIdentityProvider {
  /** On the button. */
  readonly name: string;
  readonly kind: 'oidc' | 'oauth2';
  readonly settings: Readonly<Record<string, unknown>>;
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
  /** The name of the identity provider where they have their password; absent: here. */
  readonly signInWith?: string;
  /** What the provider says they belong to. */
  readonly claimedGroups?: readonly string[];
  /** Not a person here before they sign in for the first time. */
  readonly comesAnew?: true;
  /** The tools of the demo that come to be theirs, sorted; the end-to-end test holds them to what the SDK shows. */
  readonly tools: readonly string[];
}

/** What the tools of the demo call, and who may have it called. */
export interface SeedServices {
  /** A token at the development API. */
  readonly github: { readonly requirement: Requirement; readonly repositories: readonly GitHubRepository[] };
  /** A database, with an account made for each call: where Vault runs. */
  readonly reports: { readonly requirement: Requirement };
}

interface Requirement {
  readonly roles?: readonly string[];
  readonly resources?: readonly string[];
}

export interface SeedTenant {
  readonly tenantId: string;
  readonly displayName: string;
  readonly roles: Readonly<Record<string, SeedBundle>>;
  readonly groups: Readonly<Record<string, SeedBundle>>;
  readonly people: readonly SeedPerson[];
  readonly identityProviders: readonly SeedIdentityProvider[];
  /** Absent where the tenant has no demo endpoint. */
  readonly demo?: {
    readonly scopes: readonly string[];
    /** The client id of the same demo over stdio, a public client. */
    readonly stdio: string;
    readonly services: SeedServices;
  };
}

export const publicTools = ['ping'] as const;

export const operatorRole = 'authsec-admin';

const devHub: SeedIdentityProvider = { name: 'DevHub', kind: 'oauth2', settings: { new_people: 'refuse' } };

const acme: SeedTenant = {
  tenantId: 'acme-corp',
  displayName: 'Acme Corp',
  demo: {
    scopes: ['read', 'write', 'calculate'],
    stdio: 'demo-mcp-stdio',
    services: {
      github: {
        requirement: { roles: ['admin', 'developer'] },
        repositories: [
          { name: 'website', description: 'What customers see', private: false, language: 'TypeScript' },
          { name: 'billing', description: 'Invoices and payments', private: true, language: 'Go' },
          { name: 'handbook', description: 'How Acme works', private: true, language: 'Markdown' },
        ],
      },
      reports: { requirement: { resources: ['analytics'] } },
    },
  },
  roles: {
    admin: { permissions: ['projects:*'], scopes: ['read', 'write', 'calculate'], resources: ['analytics'] },
    developer: { permissions: ['projects:read', 'projects:create'], scopes: ['read', 'calculate'] },
    analyst: { scopes: ['read'] },
  },
  groups: { engineering: { roles: ['developer'] } },
  identityProviders: [
    {
      name: 'Acme Single Sign-On',
      kind: 'oidc',
      settings: {
        scope: 'openid email profile groups',
        allowed_email_domains: ['acme-corp.example'],
        new_people: 'create_with_rights',
        rights: [
          { claim: 'groups', value: 'analysts', gives: { kind: 'roles', name: 'analyst' } },
          { claim: 'groups', value: 'analysts', gives: { kind: 'resources', name: 'analytics' } },
        ],
      },
    },
    devHub,
  ],
  people: [
    {
      email: 'ada@acme-corp.example',
      displayName: 'Ada Admin',
      rights: 'role admin',
      roles: ['admin'],
      tools: [
        'admin_dashboard',
        'calculator',
        'delete_project',
        'hello',
        'list_repositories',
        'run_report',
        'view_analytics',
      ],
    },
    {
      email: 'dev@acme-corp.example',
      displayName: 'Devi Developer',
      rights: 'role developer, by group engineering',
      groups: ['engineering'],
      tools: ['calculator', 'hello', 'list_repositories'],
    },
    {
      email: 'ana@acme-corp.example',
      displayName: 'Ana Analyst',
      rights: 'role analyst and resource analytics',
      roles: ['analyst'],
      resources: ['analytics'],
      tools: ['hello', 'run_report', 'view_analytics'],
    },
    { email: 'nora@acme-corp.example', displayName: 'Nora Nothing', rights: 'nothing', tools: ['hello'] },
    {
      email: 'eve@acme-corp.example',
      displayName: 'Eve Expired',
      rights: 'role admin, expired',
      expiredRoles: ['admin'],
      tools: ['hello'],
    },
    {
      email: 'sam@acme-corp.example',
      displayName: 'Sam Single',
      rights: 'role developer; signs in with Acme Single Sign-On',
      roles: ['developer'],
      signInWith: 'Acme Single Sign-On',
      tools: ['calculator', 'hello', 'list_repositories'],
    },
    {
      email: 'nia@acme-corp.example',
      displayName: 'Nia New',
      rights: 'none before the first sign-in with Acme Single Sign-On, then what its group analysts gives',
      signInWith: 'Acme Single Sign-On',
      claimedGroups: ['analysts'],
      comesAnew: true,
      tools: ['hello', 'run_report', 'view_analytics'],
    },
    {
      email: 'gil@acme-corp.example',
      displayName: 'Gil Hub',
      rights: 'role developer, by group engineering; signs in with DevHub',
      groups: ['engineering'],
      signInWith: 'DevHub',
      tools: ['calculator', 'hello', 'list_repositories'],
    },
  ],
};

/** The same names as at Acme with other rights behind them: a role is its tenant's own. */
const globex: SeedTenant = {
  tenantId: 'globex',
  displayName: 'Globex',
  demo: {
    scopes: ['read', 'calculate'],
    stdio: 'demo-mcp-stdio',
    services: {
      // Developers see the tool, and their call is denied: the service asks for more than the tool.
      github: {
        requirement: { roles: ['admin'] },
        repositories: [
          { name: 'reactor', description: 'Control of the plant', private: true, language: 'Rust' },
          { name: 'recipes', description: 'From the canteen', private: false, language: 'Markdown' },
        ],
      },
      reports: { requirement: { resources: ['analytics'] } },
    },
  },
  roles: {
    admin: { scopes: ['read'], resources: ['analytics'] },
    developer: { permissions: ['projects:delete'] },
    analyst: { scopes: ['read', 'calculate'] },
  },
  groups: { engineering: { roles: ['developer'], scopes: ['calculate'] }, insight: { resources: ['analytics'] } },
  identityProviders: [{ name: 'Globex Login', kind: 'oidc', settings: { new_people: 'refuse' } }, devHub],
  people: [
    {
      email: 'gus@globex.example',
      displayName: 'Gus Admin',
      rights: 'role admin',
      roles: ['admin'],
      tools: ['admin_dashboard', 'hello', 'list_repositories', 'run_report', 'view_analytics'],
    },
    {
      email: 'dora@globex.example',
      displayName: 'Dora Developer',
      rights: 'role developer and scope calculate, by group engineering',
      groups: ['engineering'],
      tools: ['calculator', 'delete_project', 'hello', 'list_repositories'],
    },
    {
      email: 'alan@globex.example',
      displayName: 'Alan Analyst',
      rights: 'role analyst, resource analytics by group insight',
      roles: ['analyst'],
      groups: ['insight'],
      tools: ['calculator', 'hello', 'run_report', 'view_analytics'],
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
    {
      email: 'lou@globex.example',
      displayName: 'Lou Login',
      rights: 'role analyst; signs in with Globex Login',
      roles: ['analyst'],
      signInWith: 'Globex Login',
      tools: ['calculator', 'hello'],
    },
    {
      email: 'gia@globex.example',
      displayName: 'Gia Hub',
      rights: 'role developer and scope calculate, by group engineering; signs in with DevHub',
      groups: ['engineering'],
      signInWith: 'DevHub',
      tools: ['calculator', 'delete_project', 'hello', 'list_repositories'],
    },
  ],
};

export const systemTenant: SeedTenant = {
  tenantId: 'system',
  displayName: 'System',
  roles: {},
  groups: {},
  identityProviders: [],
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
