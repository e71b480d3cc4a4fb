import { z } from 'zod';
import { tenantIdSchema, timestampSchema } from './names.js';
import { route } from './route.js';

export const tenantSchema = z.strictObject({
  tenant_id: tenantIdSchema,
  display_name: z.string(),
  status: z.enum(['provisioning', 'active', 'suspended']),
  issuer: z.url(),
  created_at: timestampSchema,
});
export type TenantView = z.infer<typeof tenantSchema>;

const tenantParams = z.strictObject({ tenant_id: tenantIdSchema });

export const tenantRoutes = {
  list: route({
    method: 'GET',
    path: '/v1/tenants',
    response: z.strictObject({ tenants: z.array(tenantSchema) }),
    status: 200,
    errors: [],
    access: { permission: 'authsec:tenants:read', system: true },
  }),
  /** Provisions it: role, database, migrations, catalogue, keys, stamp. Asked again, it goes on from where it stopped. */
  create: route({
    method: 'PUT',
    path: '/v1/tenants/:tenant_id',
    params: tenantParams,
    body: z.strictObject({ display_name: z.string().min(1).max(200) }),
    response: tenantSchema,
    status: 200,
    errors: [],
    access: { permission: 'authsec:tenants:write', system: true },
  }),
  /** What is sealed for it, under the first sealing key: to be asked again until nothing remains. */
  rewrap: route({
    method: 'POST',
    path: '/v1/tenants/:tenant_id/rewrap',
    params: tenantParams,
    response: z.strictObject({ rewrapped: z.number().int(), remaining: z.number().int() }),
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:tenants:write', system: true },
  }),
  get: route({
    method: 'GET',
    path: '/v1/tenants/:tenant_id',
    params: tenantParams,
    response: tenantSchema,
    status: 200,
    errors: ['not_found'],
    access: { permission: 'authsec:tenants:read', system: true },
  }),
};
