import Table from 'cli-table3';
import type { DevFile } from './dev-file.js';
import { demoTenants, systemTenant } from './seed-data.js';

/** What `pnpm dev` prints when everything is ready. */
export function formatSummary(file: DevFile): string {
  const rights = new Map(
    [...demoTenants, systemTenant].flatMap(({ people }) => people.map((p) => [p.email, p.rights])),
  );
  const table = new Table({
    head: ['person', 'password', 'rights', 'tools after login'],
    colWidths: [25, 22, 30, 37],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  const heading = (content: string) => table.push([{ colSpan: 4, content }]);
  const person = ({ email, password, tools }: { email: string; password: string; tools?: readonly string[] }) =>
    table.push([email, password, rights.get(email) ?? '', tools?.join(', ') ?? '']);
  const secrets = file.vault ? `in Vault, ${file.vault.address}` : 'sealed in the tenants’ databases';
  heading(`Manager                ${file.manager.url}\nsecrets of services    ${secrets}`);
  for (const tenant of file.tenants) {
    heading(`${tenant.tenant_id.padEnd(16)} MCP   ${tenant.mcp}\n${' '.repeat(14)}issuer   ${tenant.issuer}`);
    tenant.people.forEach(person);
  }
  heading(`system        issuer   ${file.system.issuer}`);
  person(file.system.operator);
  heading(nextStep(file));
  return table.toString();
}

function nextStep({ tenants: [tenant] }: DevFile): string {
  return [
    `Next: connect an MCP client (Streamable HTTP) to ${tenant?.mcp}`,
    '      for instance: npx @modelcontextprotocol/inspector',
    '1. List the tools: the oauth_* tools and ping, nothing else.',
    `2. Call oauth_start, open its authorization_url, sign in as ${tenant?.people[0]?.email}, approve.`,
    '3. Call oauth_authenticate with the session_id and the code that the page shows. List the tools again.',
  ].join('\n');
}
