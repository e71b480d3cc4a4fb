interface Emitter {
  once(event: 'end' | 'close', listener: () => void): unknown;
}

/**
 * The standard input that a transport reads, where it is one over stdio: told by its shape, since the MCP SDKs are not
 * imported at run time. No other transport of theirs has both streams.
 */
export function stdinOf(transport: object): Emitter | undefined {
  const { _stdin: stdin, _stdout: stdout } = transport as { _stdin?: unknown; _stdout?: unknown };
  const isPair = isStream(stdin, 'read') && isStream(stdout, 'write');
  return isPair ? (stdin as Emitter) : undefined;
}

function isStream(value: unknown, method: 'read' | 'write'): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['once', method].every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
