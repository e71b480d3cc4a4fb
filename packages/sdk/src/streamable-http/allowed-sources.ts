/** Host names under which a development server is reached. */
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/** Which `Host` and `Origin` are taken: what keeps a page of another site from reaching the endpoint by DNS rebinding. */
export interface AllowedSources {
  allowsHost(host: string | undefined): boolean;
  /** True also without an `Origin`, which only browsers send. */
  allowsOrigin(origin: string | undefined): boolean;
}

/** A host without a port is allowed on every port. Throws a TypeError for what is neither a host nor an origin. */
export function createAllowedSources(options: {
  readonly allowedHosts?: readonly string[] | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
}): AllowedSources {
  const hosts = new Set((options.allowedHosts ?? loopbackHosts).map(parseHost));
  const origins = new Set((options.allowedOrigins ?? []).map(parseOrigin));
  return {
    allowsHost(host) {
      if (host === undefined) return false;
      const given = host.toLowerCase();
      return hosts.has(given) || hosts.has(given.replace(/:\d+$/, ''));
    },
    allowsOrigin: (origin) => origin === undefined || origins.has(origin),
  };
}

function parseHost(host: string): string {
  if (host === '' || /[/?#@\s]/.test(host) || !URL.canParse(`http://${host}`)) {
    throw new TypeError(
      `allowedHosts: ${JSON.stringify(host)} is not a host, such as mcp.example.com or localhost:3000`,
    );
  }
  return host.toLowerCase();
}

function parseOrigin(origin: string): string {
  if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
    throw new TypeError(`allowedOrigins: ${JSON.stringify(origin)} is not an origin, such as https://app.example.com`);
  }
  return origin;
}
