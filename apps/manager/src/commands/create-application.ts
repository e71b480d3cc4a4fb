import { writeFile } from 'node:fs/promises';
import { issuerOf } from '../authorization/issuer.js';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { createApplication as insertApplication } from '../modules/applications/applications.service.js';
import { findRoleIds, grantRoles } from '../modules/applications/grant-roles.js';
import { type CommandContext, CommandFailure } from './command-context.js';
import { withContainer } from './with-container.js';

export interface CreateApplicationCommand {
  readonly tenant: string;
  readonly name: string;
  readonly clientId: string | undefined;
  readonly resourceUrl: string | undefined;
  readonly redirectUri: readonly string[];
  readonly scope: readonly string[];
  readonly role: readonly string[];
  readonly public: boolean;
  readonly pasteToken: boolean;
  readonly completionPage: boolean;
  /** `-`: standard output, which then has nothing else. */
  readonly credentialsFile: string | undefined;
  /** With `clientId`: one that is there already is left as it is. */
  readonly ifMissing: boolean;
}

/** Registers an OAuth client of a tenant; its secret goes into a file that only its owner reads, and is shown nowhere. */
export async function createApplication(context: CommandContext, command: CreateApplicationCommand): Promise<void> {
  const { tenant, credentialsFile } = command;
  if (!command.public && credentialsFile === undefined) {
    throw new CommandFailure('--credentials-file says where its secret goes; --public makes a client without one');
  }
  await withContainer(context, async ({ tenants, config }) => {
    const db = await tenants.open(tenant);
    if (command.ifMissing && (await isThere(db, command.clientId))) {
      return context.print(`application ${command.clientId}: there already`);
    }
    const roleIds = await findRoleIds(db, command.role);
    const write = credentialsFile === undefined ? undefined : await reserve(context, credentialsFile);
    const { id, clientId, clientSecret } = await insertApplication(db, {
      name: command.name,
      ...(command.clientId !== undefined && { clientId: command.clientId }),
      ...(command.resourceUrl !== undefined && { resourceUrl: command.resourceUrl }),
      publicClient: command.public,
      redirectUris: command.redirectUri,
      scopes: command.scope,
      pasteToken: command.pasteToken,
      completionPage: command.completionPage,
    });
    await grantRoles(db, { applicationId: id, roleIds });
    const issuer = issuerOf(config.url, tenant);
    const credentials = { tenant, issuer, client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) };
    await write?.(`${JSON.stringify(credentials, undefined, 2)}\n`);
    const where = credentialsFile === undefined || credentialsFile === '-' ? '' : `: ${credentialsFile}`;
    context.warn(`application ${clientId} of ${issuer}${where}`);
  });
}

async function isThere(db: TenantDatabase, clientId: string | undefined): Promise<boolean> {
  if (clientId === undefined) throw new CommandFailure('--if-missing needs --client-id');
  return (await db.application.findUnique({ where: { clientId }, select: { id: true } })) !== null;
}

/** Before anything is made: a secret that cannot be written would be lost. */
async function reserve({ process }: CommandContext, path: string): Promise<(content: string) => void | Promise<void>> {
  if (path === '-') {
    if (process.stdout.isTTY) throw new CommandFailure('a secret is not written to a terminal: lead it into a file');
    return (content) => void process.stdout.write(content);
  }
  try {
    await writeFile(path, '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = String(Reflect.get(Object(error), 'code'));
    const why = { EEXIST: 'it must be a file that is not there yet', ENOENT: 'there is no such folder' }[code];
    throw new CommandFailure(`${path}: ${code}${why ? `; ${why}` : ''}`);
  }
  return (content) => writeFile(path, content);
}
