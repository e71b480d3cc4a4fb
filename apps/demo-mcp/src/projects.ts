export interface Project {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
}

/** One tenant's projects, in memory: what the tools have to show. */
export interface Projects {
  list(): readonly Project[];
  find(id: string): Project | undefined;
  /** False where there is none of that id. */
  delete(id: string): boolean;
}

/** The same three projects at each start. */
export function createProjects(tenant: string): Projects {
  const byId = new Map<string, Project>(
    ['website', 'data-lake', 'mobile-app'].map((id) => [id, { id, name: id.replaceAll('-', ' '), owner: tenant }]),
  );
  return {
    list: () => [...byId.values()],
    find: (id) => byId.get(id),
    delete: (id) => byId.delete(id),
  };
}
