import { createTestManager, type TestClient, type TestManager, type TestPerson } from '@authsec/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createProjects, type Projects } from '../src/projects.js';
import { createDemoServer } from '../src/server.js';

const people: Readonly<Record<string, TestPerson>> = {
  'admin@acme.example': { roles: ['admin'] },
  'analyst@acme.example': { scopes: ['read', 'calculate'], resources: ['analytics'] },
  'reader@acme.example': { scopes: ['read'] },
  'owner@acme.example': { roles: ['owner'] },
};

let manager: TestManager;
let projects: Projects;
beforeEach(async () => {
  manager = await createTestManager({ people, roles: { owner: { permissions: ['projects:*'] } } });
  projects = createProjects('acme');
});
afterEach(() => manager.close());

function connect(email?: string): Promise<TestClient> {
  return manager.connect(createDemoServer({ tenant: 'acme', projects, protection: manager.authsec() }), email);
}

describe('the tools of the demo', () => {
  test.each([
    [undefined, ['ping']],
    ['admin@acme.example', ['ping', 'hello', 'admin_dashboard', 'list_repositories']],
    ['analyst@acme.example', ['ping', 'hello', 'calculator', 'view_analytics', 'run_report']],
    ['reader@acme.example', ['ping', 'hello']],
    ['owner@acme.example', ['ping', 'hello', 'delete_project']],
  ])('%s sees %j', async (email, tools) => {
    expect(await (await connect(email)).toolNames()).toEqual(tools);
  });

  test('answer in the name of who calls them', async () => {
    const client = await connect('admin@acme.example');
    const greeting = { message: 'Hello, admin@acme.example of acme!', roles: ['admin'] };
    expect(await client.callTool({ name: 'hello' })).toMatchObject({ structuredContent: greeting });
    const dashboard = await client.callTool({ name: 'admin_dashboard', arguments: { section: 'projects' } });
    expect(dashboard).toMatchObject({ structuredContent: { opened_by: 'admin@acme.example', project_count: 3 } });
  });

  test('do nothing for who may not use them', async () => {
    const client = await connect('reader@acme.example');
    await client.callTool({ name: 'delete_project', arguments: { project_id: 'website' } }).catch(() => {});
    expect(projects.list()).toHaveLength(3);
    const owner = await connect('owner@acme.example');
    await owner.callTool({ name: 'delete_project', arguments: { project_id: 'website' } });
    expect(projects.list()).toHaveLength(2);
  });

  test('come and go with the rights of who is signed in', async () => {
    const client = await connect('reader@acme.example');
    await manager.setPerson('reader@acme.example', { scopes: ['read'], resources: ['analytics'] });
    expect(await client.toolNames()).toContain('view_analytics');
    await manager.revoke('reader@acme.example');
    expect(await client.toolNames()).toEqual(['ping']);
  });
});
