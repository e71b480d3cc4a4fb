import type { ServiceView } from '@authsec/manager-client/contract';
import type { Caller } from '../../authorization/caller.js';
import { createService, type NewServiceRequest } from './create-service.js';
import { removeService } from './remove-service.js';
import { rotateService, type RotationRequest } from './rotate-service.js';
import { noSuchService, type ServicesOptions } from './service-rules.js';
import { toServiceView } from './service-view.js';
import { findService, listServices } from './services.repository.js';
import { type ServiceUpdateRequest, updateService } from './update-service.js';

/** AppErrors are those of the contract; a secret goes in here and does not come out. */
export interface ServicesService {
  /** By name. */
  list(caller: Caller): Promise<ServiceView[]>;
  get(caller: Caller, id: string): Promise<ServiceView>;
  create(request: NewServiceRequest): Promise<ServiceView>;
  update(request: ServiceUpdateRequest): Promise<ServiceView>;
  rotate(request: RotationRequest): Promise<ServiceView>;
  remove(caller: Caller, id: string, requestId: string): Promise<void>;
}

export function createServicesService(options: ServicesOptions): ServicesService {
  const view = (service: Parameters<typeof toServiceView>[0]) => toServiceView(service, options.clock.now());
  return {
    list: async ({ db }) => (await listServices(db)).map(view),
    async get({ db }, id) {
      const service = await findService(db, id);
      if (!service) throw noSuchService();
      return view(service);
    },
    create: async (request) => view(await createService(options, request)),
    update: async (request) => view(await updateService(options, request)),
    rotate: async (request) => view(await rotateService(options, request)),
    remove: (caller, id, requestId) => removeService(options, caller, id, requestId),
  };
}
