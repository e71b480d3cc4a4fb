import { userInfoOf } from '@authsec/sdk';
import { z } from 'zod';
import { defineTool } from './define-tool.js';

const operations = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
};

const signs = { add: '+', subtract: '−', multiply: '×', divide: '÷' };

/** Needs the scope `calculate`. */
export const calculator = defineTool({
  name: 'calculator',
  rule: { scopes: ['calculate'] },
  register({ server }) {
    server.registerTool(
      'calculator',
      {
        title: 'Calculator',
        description: 'Adds, subtracts, multiplies or divides two numbers.',
        inputSchema: {
          operation: z.enum(['add', 'subtract', 'multiply', 'divide']),
          a: z.number(),
          b: z.number(),
        },
        outputSchema: { result: z.number(), expression: z.string(), calculated_for: z.string() },
        annotations: { readOnlyHint: true },
      },
      (args) => {
        const { operation, a, b } = args;
        const result = operations[operation](a, b);
        const expression = `${a} ${signs[operation]} ${b}`;
        if (!Number.isFinite(result)) {
          return { isError: true, content: [{ type: 'text', text: `${expression} has no finite result` }] };
        }
        const answer = { result, expression, calculated_for: userInfoOf(args).email };
        return { structuredContent: answer, content: [{ type: 'text', text: `${expression} = ${result}` }] };
      },
    );
  },
});
