import { z } from 'zod';
import { defineTool } from './define-tool.js';

/** Anyone may call it, also before login. */
export const ping = defineTool({
  name: 'ping',
  rule: { public: true },
  register({ server, tenant }) {
    server.registerTool(
      'ping',
      {
        title: 'Ping',
        description: 'Tells whether the server answers. Needs no login.',
        inputSchema: { message: z.string().max(200).default('pong').describe('What to send back') },
        outputSchema: { message: z.string(), tenant: z.string(), at: z.string() },
        annotations: { readOnlyHint: true },
      },
      ({ message }) => {
        const answer = { message, tenant, at: new Date().toISOString() };
        return { structuredContent: answer, content: [{ type: 'text', text: `${message} from ${tenant}` }] };
      },
    );
  },
});
