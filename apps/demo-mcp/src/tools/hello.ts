import { userInfoOf } from '@authsec/sdk';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

/** Any signed-in person. */
export const hello = defineTool({
  name: 'hello',
  rule: {},
  register({ server }) {
    server.registerTool(
      'hello',
      {
        title: 'Hello',
        description: 'Greets the person who is signed in, and says what they hold.',
        inputSchema: { greeting: z.string().min(1).max(50).default('Hello') },
        outputSchema: {
          message: z.string(),
          email: z.string(),
          tenant: z.string(),
          roles: z.array(z.string()),
          groups: z.array(z.string()),
        },
        annotations: { readOnlyHint: true },
      },
      (args) => {
        const { email, tenant_id, roles, groups } = userInfoOf(args);
        const message = `${args.greeting}, ${email} of ${tenant_id}!`;
        const answer = { message, email, tenant: tenant_id, roles: [...roles], groups: [...groups] };
        return { structuredContent: answer, content: [{ type: 'text', text: message }] };
      },
    );
  },
});
