import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { AddressRefused } from './address-refused.js';
import { mayConnectTo, rangeOf } from './public-address.js';

/** All addresses of a name. */
export type LookupAll = (
  hostname: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** For TLS, in PEM. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly privateKey: string;
  /** Who is believed instead of the system's authorities. */
  readonly certificateAuthority?: string | undefined;
}

export interface GuardedAgentOptions {
  /** Private and loopback addresses as well; link-local ones, where clouds keep their metadata, never. */
  readonly allowPrivateAddresses: boolean;
  /** Without TLS nothing that is public: whoever answers to the name there would be believed. */
  readonly plaintextOnlyToPrivate?: boolean | undefined;
  readonly connectTimeoutMs: number;
  readonly clientCertificate?: ClientCertificate | undefined;
  readonly lookup?: LookupAll | undefined;
  /** Connections for each origin; 8 unless told. */
  readonly connections?: number | undefined;
}

const resolveAll: LookupAll = (hostname, done) => systemLookup(hostname, { all: true }, done);

/**
 * A dispatcher of undici that connects only where it may. The address that was judged is the one that is connected to: the
 * judging is the connection's own name look-up. Fails with AddressRefused, possibly as a `cause`.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  return new Agent({
    connect: createConnector(options),
    connections: options.connections ?? 8,
    keepAliveTimeout: 4_000,
    maxHeaderSize: 16 * 1024,
  });
}

function createConnector(options: GuardedAgentOptions): buildConnector.connector {
  const may = (address: string) => mayConnectTo(address, { allowPrivate: options.allowPrivateAddresses });
  const withTls = createJudgedConnector(options, may);
  if (!options.plaintextOnlyToPrivate) return withTls;
  const plain = createJudgedConnector(options, (address) => may(address) && rangeOf(address) !== 'unicast');
  return (target, done) => (target.protocol === 'https:' ? withTls : plain)(target, done);
}

function createJudgedConnector(
  { connectTimeoutMs, clientCertificate, lookup = resolveAll }: GuardedAgentOptions,
  allow: (address: string) => boolean,
): buildConnector.connector {
  const judged: LookupFunction = (hostname, { all }, done) => {
    lookup(hostname, (error, addresses) => {
      const bad = addresses?.find(({ address }) => !allow(address));
      const first = addresses?.[0];
      if (error || !first) done(error ?? new Error(`${hostname} has no address`), '');
      else if (bad) done(new AddressRefused(hostname), '');
      else if (all) done(null, [...addresses]);
      else done(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ lookup: judged, timeout: connectTimeoutMs, ...tlsOf(clientCertificate) });
  return (target, done) => {
    // Numbers are connected to without a name look-up; URL has brought their many spellings to one.
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !allow(host)) return done(new AddressRefused(host), null);
    connect(target, (error, socket) => {
      if (!socket) return done(error ?? new Error('no connection'), null);
      if (socket.remoteAddress !== undefined && allow(socket.remoteAddress)) return done(null, socket);
      socket.destroy();
      done(new AddressRefused(target.hostname), null);
    });
  };
}

function tlsOf(given: ClientCertificate | undefined): { cert?: string; key?: string; ca?: string } {
  if (!given) return {};
  const { certificate, privateKey, certificateAuthority } = given;
  return {
    cert: certificate,
    key: privateKey,
    ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
  };
}
