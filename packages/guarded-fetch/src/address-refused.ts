/** A host is, or has, an address that may not be connected to. Nothing was sent. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';

  constructor(readonly host: string) {
    super(`${host} is, or has, an address that is not public, or not one to ask without TLS`);
  }
}
