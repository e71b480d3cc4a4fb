import { callContext } from '@authsec/sdk';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

const repository = z.object({ full_name: z.string(), description: z.string().nullable(), private: z.boolean() });

/** Needs the role `admin` or `developer`; what it calls GitHub with is the service's, and the service asks again. */
export const listRepositories = defineTool({
  name: 'list_repositories',
  rule: { roles: ['admin', 'developer'] },
  register({ server }) {
    server.registerTool(
      'list_repositories',
      {
        title: 'List repositories',
        description: "The repositories of the tenant's organisation on GitHub.",
        outputSchema: { repositories: z.array(repository) },
        annotations: { readOnlyHint: true },
      },
      async () => {
        const github = await callContext().services.fetch('github');
        const response = await github('/user/repos');
        if (!response.ok) {
          return { isError: true, content: [{ type: 'text', text: `GitHub answered ${response.status}` }] };
        }
        const answer = { repositories: z.array(repository).parse(await response.json()) };
        return { structuredContent: answer, content: [{ type: 'text', text: JSON.stringify(answer) }] };
      },
    );
  },
});
