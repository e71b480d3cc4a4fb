import ipaddr from 'ipaddr.js';
import { networkOf } from '../http/middleware/rate-limit.js';

/** A server behind a proxy that it was not told of, or beside its clients, sees all of them here. */
const sharedRanges = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat', 'unspecified']);

/** The network whose pushes are counted together; '' for an address that tells nobody from anybody. */
export function floodBucketOf(reportedAddress: unknown): string {
  if (typeof reportedAddress !== 'string' || !ipaddr.isValid(reportedAddress)) return '';
  return sharedRanges.has(ipaddr.process(reportedAddress).range()) ? '' : networkOf(reportedAddress);
}
