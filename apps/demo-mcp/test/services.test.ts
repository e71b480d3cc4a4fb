import { createTestManager, type TestManager } from '@authsec/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createProjects } from '../src/projects.js';
import { createDemoServer } from '../src/server.js';

const dev = 'dev@acme.example';
const token = 'ghp_canary-Token+/1234567890';

let manager: TestManager;
let status: number;
beforeEach(async () => {
  status = 200;
  manager = await createTestManager({
    people: { [dev]: { roles: ['developer'], resources: ['analytics'] } },
    services: {
      github: {
        credential: token,
        requirement: { roles: ['developer'] },
        answer(request) {
          const authorization = request.headers.get('authorization');
          const one = { full_name: `acme/${authorization}`, description: null, private: true, id: 1 };
          return Response.json(new URL(request.url).pathname === '/user/repos' ? [one] : {}, { status });
        },
      },
    },
  });
});
afterEach(() => manager.close());

const connect = () =>
  manager.connect(
    createDemoServer({ tenant: 'acme', projects: createProjects('acme'), protection: manager.authsec() }),
    dev,
  );

describe('the tools of the demo that use services', () => {
  test('list_repositories answers what GitHub answers, without the token that it was asked with', async () => {
    const client = await connect();
    await client.toolNames();
    expect((await client.callTool({ name: 'list_repositories' })).structuredContent).toEqual({
      repositories: [{ full_name: 'acme/Bearer [redacted]', description: null, private: true }],
    });
    status = 500;
    expect(await client.callTool({ name: 'list_repositories' })).toMatchObject({
      isError: true,
      content: [{ text: 'GitHub answered 500' }],
    });
  });

  test('run_report says what it needs where there are no reports', async () => {
    const answer = await (await connect()).callTool({ name: 'run_report' });
    expect(answer).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('pnpm dev --vault') }] });
  });
});
