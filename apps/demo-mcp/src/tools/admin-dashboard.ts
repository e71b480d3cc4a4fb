import { userInfoOf } from '@authsec/sdk';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

/** Needs the role `admin`. */
export const adminDashboard = defineTool({
  name: 'admin_dashboard',
  rule: { roles: ['admin'] },
  register({ server, tenant, projects }) {
    server.registerTool(
      'admin_dashboard',
      {
        title: 'Admin dashboard',
        description: "The state of the tenant's projects and of this server.",
        inputSchema: { section: z.enum(['overview', 'projects']).default('overview') },
        outputSchema: {
          tenant: z.string(),
          opened_by: z.string(),
          uptime_seconds: z.number(),
          project_count: z.number(),
          projects: z.array(z.object({ id: z.string(), name: z.string(), owner: z.string() })),
        },
        annotations: { readOnlyHint: true },
      },
      (args) => {
        const all = projects.list();
        const answer = {
          tenant,
          opened_by: userInfoOf(args).email,
          uptime_seconds: Math.round(process.uptime()),
          project_count: all.length,
          projects: args.section === 'projects' ? [...all] : [],
        };
        return { structuredContent: answer, content: [{ type: 'text', text: JSON.stringify(answer) }] };
      },
    );
  },
});
