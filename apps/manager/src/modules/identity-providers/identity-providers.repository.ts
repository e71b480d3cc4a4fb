import { identityProviderSettingsSchema } from '@authsec/manager-client/contract';
import { Prisma, type IdentityProvider as Row } from '@authsec/prisma/tenant';
import type { SealedValue } from '../../ports/sealer.js';
import { type IdentityProvider, secretBinding } from './identity-provider.js';

type Database = Prisma.TransactionClient;

export async function listIdentityProviders(
  db: Database,
  { enabledOnly = false }: { readonly enabledOnly?: boolean } = {},
): Promise<IdentityProvider[]> {
  const where = enabledOnly ? { enabled: true } : {};
  return (await db.identityProvider.findMany({ where, orderBy: [{ name: 'asc' }, { id: 'asc' }] })).map(toProvider);
}

export async function findIdentityProvider(db: Database, id: string): Promise<IdentityProvider | undefined> {
  const row = await db.identityProvider.findUnique({ where: { id } });
  return row ? toProvider(row) : undefined;
}

/** Undefined where its name or issuer is taken. */
export async function insertIdentityProvider(
  db: Database,
  { sealedClientSecret, ...provider }: Omit<IdentityProvider, 'createdAt'>,
): Promise<IdentityProvider | undefined> {
  const sealed = sealedClientSecret && Buffer.from(sealedClientSecret);
  const [row] = await db.identityProvider.createManyAndReturn({
    data: [{ ...provider, sealedClientSecret: sealed }],
    skipDuplicates: true,
  });
  return row && toProvider(row);
}

export type IdentityProviderChange = Partial<
  Pick<IdentityProvider, 'name' | 'clientId' | 'sealedClientSecret' | 'enabled' | 'settings'>
>;

/** 'taken' where another has the name; undefined where there is no such provider. */
export async function updateIdentityProvider(
  db: Database,
  id: string,
  { sealedClientSecret, ...change }: IdentityProviderChange,
): Promise<IdentityProvider | 'taken' | undefined> {
  try {
    const secret =
      sealedClientSecret === undefined
        ? {}
        : { sealedClientSecret: sealedClientSecret && Buffer.from(sealedClientSecret) };
    const [row] = await db.identityProvider.updateManyAndReturn({ where: { id }, data: { ...change, ...secret } });
    return row && toProvider(row);
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return 'taken';
    throw error;
  }
}

export async function deleteIdentityProvider(db: Database, id: string): Promise<boolean> {
  return (await db.identityProvider.deleteMany({ where: { id } })).count > 0;
}

/** The client secrets as they stand sealed. */
export async function* listSealedClientSecrets(db: Database, tenantId: string): AsyncGenerator<SealedValue> {
  const where = { sealedClientSecret: { not: null } };
  const rows = await db.identityProvider.findMany({ where, select: { id: true, sealedClientSecret: true } });
  for (const { id, sealedClientSecret: sealed } of rows) {
    if (!sealed) continue;
    yield {
      sealed,
      additionalData: secretBinding(tenantId, id),
      async replace(next) {
        const still = { id, sealedClientSecret: sealed };
        return (await db.identityProvider.updateMany({ where: still, data: { sealedClientSecret: next } })).count > 0;
      },
    };
  }
}

export async function isPasswordEnabled(db: Database): Promise<boolean> {
  return (await db.signInSettings.findUnique({ where: { id: 1 } }))?.passwordEnabled ?? true;
}

export async function setPasswordEnabled(db: Database, passwordEnabled: boolean): Promise<void> {
  await db.signInSettings.upsert({ where: { id: 1 }, create: { passwordEnabled }, update: { passwordEnabled } });
}

/** One after the other for those who could leave a tenant without a way in. */
export async function lockSignInSettings(db: Database): Promise<void> {
  await db.$queryRaw`SELECT 1 FROM sign_in_settings WHERE id = 1 FOR UPDATE`;
}

function toProvider(row: Row): IdentityProvider {
  const { id, name, kind, issuer, clientId, sealedClientSecret, enabled, createdAt } = row;
  const settings = identityProviderSettingsSchema.parse(row.settings);
  return { id, name, kind, issuer, clientId, sealedClientSecret, settings, enabled, createdAt };
}
