const addresses = new WeakMap<object, string>();

/** Says who is at the other end of a transport, as far as the network tells, before a server connects to it. */
export function setClientAddress(transport: object, ip: string): void {
  addresses.set(transport, ip);
}

/** Undefined where the transport does not know, such as stdio. */
export function clientAddressOf(transport: object): string | undefined {
  return addresses.get(transport);
}
