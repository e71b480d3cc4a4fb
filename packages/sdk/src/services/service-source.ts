import type { IssuedCredential } from '@authsec/manager-client';
import type { Clock } from '../clock.js';
import type { ServiceNetwork } from './service-network.js';

/** What is asked of the Manager for one call of a tool. */
export interface CredentialRequest {
  readonly service: string;
  readonly raw: boolean;
  /** The one before a rotation. */
  readonly previous: boolean;
  readonly tool: string;
}

/** The Manager, asked for credentials in the name of one person who is signed in. Rejects with ManagerClientError. */
export interface PersonServices {
  readonly sub: string;
  readonly tenantId: string;
  issue(request: CredentialRequest, signal: AbortSignal): Promise<IssuedCredential>;
  /** The seconds that the account lives, counted from when this was asked. */
  renewLease(leaseId: string, tool: string, signal: AbortSignal): Promise<number>;
  /** The link by which the person connects their own account. */
  connect(service: string, signal: AbortSignal): Promise<string>;
  /** Again and again while the Manager is away; resolves after the first attempt. */
  endLease(leaseId: string): Promise<void>;
  /** Resolves where the Manager answers and the login is still one. */
  check(signal: AbortSignal): Promise<boolean>;
}

/** Of one MCP session: services for whoever is signed in. */
export interface ServiceSource {
  readonly clock: Clock;
  readonly network: ServiceNetwork;
  /** Aborts when the session is closed: its calls are over. */
  readonly closed: AbortSignal;
  /** Undefined where nobody is signed in. */
  person(): PersonServices | undefined;
}
