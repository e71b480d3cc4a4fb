export { AddressRefused } from './address-refused.js';
export {
  createGuardedAgent,
  type ClientCertificate,
  type GuardedAgentOptions,
  type LookupAll,
} from './guarded-agent.js';
export { createGuardedFetch, type GuardedFetch, type GuardedRequest } from './guarded-fetch.js';
export { mayConnectTo, rangeOf } from './public-address.js';
