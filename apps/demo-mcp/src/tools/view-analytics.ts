import { userInfoOf } from '@authsec/sdk';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

/** Needs the scope `read` and the resource `analytics`, both. */
export const viewAnalytics = defineTool({
  name: 'view_analytics',
  rule: { scopes: ['read'], resources: ['analytics'], requireAll: true },
  register({ server, tenant, projects }) {
    server.registerTool(
      'view_analytics',
      {
        title: 'View analytics',
        description: 'Visits of each project over the last days.',
        inputSchema: { days: z.number().int().min(1).max(90).default(7) },
        outputSchema: {
          tenant: z.string(),
          viewed_by: z.string(),
          days: z.number(),
          visits: z.array(z.object({ project: z.string(), count: z.number() })),
        },
        annotations: { readOnlyHint: true },
      },
      (args) => {
        const visits = projects.list().map(({ id }) => ({ project: id, count: id.length * 37 * args.days }));
        const answer = { tenant, viewed_by: userInfoOf(args).email, days: args.days, visits };
        return { structuredContent: answer, content: [{ type: 'text', text: JSON.stringify(answer) }] };
      },
    );
  },
});
