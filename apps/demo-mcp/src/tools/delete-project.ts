import { userInfoOf } from '@authsec/sdk';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

/** Needs the permission `projects:delete`. */
export const deleteProject = defineTool({
  name: 'delete_project',
  rule: { permissions: ['projects:delete'] },
  register({ server, projects }) {
    server.registerTool(
      'delete_project',
      {
        title: 'Delete a project',
        description: 'Deletes one project of the tenant; they are back when the demo starts again.',
        inputSchema: { project_id: z.string().min(1).max(100) },
        outputSchema: { deleted: z.string(), deleted_by: z.string(), remaining: z.array(z.string()) },
        annotations: { destructiveHint: true },
      },
      (args) => {
        if (!projects.delete(args.project_id)) {
          const known = projects.list().map(({ id }) => id);
          const text = `There is no project ${args.project_id}; there are: ${known.join(', ') || 'none'}`;
          return { isError: true, content: [{ type: 'text', text }] };
        }
        const remaining = projects.list().map(({ id }) => id);
        const answer = { deleted: args.project_id, deleted_by: userInfoOf(args).email, remaining };
        return { structuredContent: answer, content: [{ type: 'text', text: `Deleted ${args.project_id}` }] };
      },
    );
  },
});
