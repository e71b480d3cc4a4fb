/** Encrypts what is stored. `additionalData` is `tenant/table/row`: moved to another row, a value does not open. */
export interface Sealer {
  /** The ids of the keys that open; the first is that of the key that seals. */
  readonly keyIds: readonly [string, ...string[]];
  /** The id of the key that a value is under; undefined for what is not sealed. */
  keyIdOf(sealed: Uint8Array): string | undefined;
  seal(plaintext: Uint8Array | string, additionalData: string): Buffer<ArrayBuffer>;
  /** Throws AppError `internal_error` for whatever was not sealed so, under a key that is known. */
  open(sealed: Uint8Array, additionalData: string): Buffer<ArrayBuffer>;
}

/** A sealed value where it stands. */
export interface SealedValue {
  readonly sealed: Uint8Array;
  readonly additionalData: string;
  /** Puts another in its place, if it is still there as it was read. */
  replace(next: Buffer<ArrayBuffer>): Promise<boolean>;
}
