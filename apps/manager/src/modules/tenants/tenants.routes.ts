import { tenantRoutes, type TenantView } from '@authsec/manager-client/contract';
import { bindRoute, type BoundRoute } from '../../http/handle.js';
import { actorOf } from '../audit-events/audit-event.js';
import { recordAuditEvent } from '../audit-events/audit-events.service.js';
import type { TenantsService } from './tenants.service.js';

export interface TenantRoutesOptions {
  readonly tenants: TenantsService;
  readonly issuerOf: (tenantId: string) => string;
}

type Tenant = Awaited<ReturnType<TenantsService['get']>>;

export function createTenantRoutes({ tenants, issuerOf }: TenantRoutesOptions): BoundRoute[] {
  const view = (tenant: Tenant): TenantView => ({
    tenant_id: tenant.id,
    display_name: tenant.displayName,
    status: tenant.status,
    issuer: issuerOf(tenant.id),
    created_at: tenant.createdAt.toISOString(),
  });
  return [
    bindRoute(tenantRoutes.list, async () => ({ tenants: (await tenants.list()).map(view) })),
    bindRoute(tenantRoutes.create, async ({ caller, params, body, requestId }) => {
      const tenantId = params.tenant_id;
      const isSystem = await tenants.isSystem(tenantId);
      const tenant = await tenants.provision({ tenantId, displayName: body.display_name, isSystem });
      await recordAuditEvent(caller.db, {
        action: 'tenant.put',
        actor: actorOf(caller),
        target: { kind: 'tenant', id: tenantId },
        outcome: 'done',
        requestId,
        details: { display_name: tenant.displayName },
      });
      return view(tenant);
    }),
    bindRoute(tenantRoutes.rewrap, async ({ caller, params, requestId }) => {
      const result = await tenants.rewrap(params.tenant_id);
      await recordAuditEvent(caller.db, {
        action: 'tenant.rewrap',
        actor: actorOf(caller),
        target: { kind: 'tenant', id: params.tenant_id },
        outcome: 'done',
        requestId,
        details: { ...result },
      });
      return result;
    }),
    bindRoute(tenantRoutes.get, async ({ params }) => view(await tenants.get(params.tenant_id))),
  ];
}
