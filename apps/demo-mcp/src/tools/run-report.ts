import { AuthSecError, callContext } from '@authsec/sdk';
import { Client } from 'pg';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

const line = z.object({ region: z.string(), orders: z.number(), revenue: z.number() });
const query = 'SELECT region, orders, revenue::float8 AS revenue FROM sales ORDER BY revenue DESC';

/** Needs the resource `analytics`. The account that it reads with is made for this call, and gone after it. */
export const runReport = defineTool({
  name: 'run_report',
  rule: { resources: ['analytics'] },
  register({ server }) {
    server.registerTool(
      'run_report',
      {
        title: 'Run the sales report',
        description: 'Orders and revenue by region, from the reports database.',
        outputSchema: { sales: z.array(line), read_as: z.string() },
        annotations: { readOnlyHint: true },
      },
      async () => {
        const reports = await callContext()
          .services.credential('reports', 'database')
          .catch((error: unknown) => {
            if (error instanceof AuthSecError && error.code === 'service_unknown') return undefined;
            throw error;
          });
        if (!reports) {
          const text = 'There is no reports database here: it needs Vault. Start the stack with `pnpm dev --vault`.';
          return { isError: true, content: [{ type: 'text', text }] };
        }
        const { host, port, database, username: user, password, tls } = reports;
        const ssl = tls !== 'disable' && { rejectUnauthorized: tls === 'verify-full' };
        const client = new Client({ host, port, database, user, password, ssl });
        await client.connect();
        try {
          const answer = { sales: z.array(line).parse((await client.query(query)).rows), read_as: user };
          return { structuredContent: answer, content: [{ type: 'text', text: JSON.stringify(answer) }] };
        } finally {
          await client.end();
        }
      },
    );
  },
});
