import type { ClientCertificate, GuardedFetch, GuardedRequest } from '@authsec/guarded-fetch';

export interface ServiceRequest extends GuardedRequest {
  readonly url: URL;
  readonly allowPrivateAddresses: boolean;
}

/** How requests reach services. Bodies come decompressed, redirects are answers. Rejects as fetch does. */
export interface ServiceNetwork {
  send(request: ServiceRequest): Promise<Response>;
  /** Connections of one client certificate, for one call of a tool. */
  withCertificate(certificate: ClientCertificate): ServiceNetwork;
  /** Lets what is under way end. */
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;

/** Nothing is loaded before the first request. */
export function createServiceNetwork(clientCertificate?: ClientCertificate): ServiceNetwork {
  const opened = new Map<boolean, Promise<GuardedFetch>>();

  async function open(allowPrivateAddresses: boolean): Promise<GuardedFetch> {
    const { createGuardedFetch } = await import('@authsec/guarded-fetch');
    return createGuardedFetch({
      allowPrivateAddresses,
      plaintextOnlyToPrivate: true,
      connectTimeoutMs,
      clientCertificate,
    });
  }

  return {
    async send({ url, allowPrivateAddresses, ...request }) {
      let guarded = opened.get(allowPrivateAddresses);
      if (!guarded) opened.set(allowPrivateAddresses, (guarded = open(allowPrivateAddresses)));
      return (await guarded).fetch(url, request);
    },
    withCertificate: createServiceNetwork,
    async close() {
      const all = [...opened.values()];
      opened.clear();
      await Promise.all(all.map(async (guarded) => (await guarded).close()));
    },
  };
}
