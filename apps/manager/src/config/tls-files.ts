import { createSecureContext } from 'node:tls';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Certificate chain and key, PEM. Throws where they cannot be read or do not belong together. */
export function readTlsFiles({ certFile, keyFile }: TlsFiles, readFile: (path: string) => string) {
  const pair = { cert: readFile(certFile), key: readFile(keyFile), minVersion: 'TLSv1.2' as const };
  createSecureContext(pair);
  return pair;
}

/** Says what is wrong with the two variables or their files; undefined where nothing is, or neither is set. */
export function findTlsProblem(
  { certFile, keyFile }: { readonly [Name in keyof TlsFiles]: string | undefined },
  readFile: (path: string) => string,
): string | undefined {
  if (!certFile && !keyFile) return undefined;
  if (!certFile || !keyFile) return 'AUTHSEC_TLS_CERT_FILE, AUTHSEC_TLS_KEY_FILE: set both or neither';
  try {
    readTlsFiles({ certFile, keyFile }, readFile);
    return undefined;
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    return `AUTHSEC_TLS_CERT_FILE, AUTHSEC_TLS_KEY_FILE: no certificate and its key can be read (${String(code)})`;
  }
}
