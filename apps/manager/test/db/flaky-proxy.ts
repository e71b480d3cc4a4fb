import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A TCP way to the test server that can be cut (connections die, new ones are refused) or made silent. */
export interface FlakyProxy {
  /** The URL, led through the proxy. */
  through(url: string): string;
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Accepts, and passes nothing on any more. */
  silence(): void;
  close(): Promise<void>;
}

export async function createFlakyProxy(): Promise<FlakyProxy> {
  const target = new URL(process.env.AUTHSEC_TEST_DATABASE_URL!);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((incoming) => {
    sockets.add(incoming);
    incoming.on('error', () => {});
    incoming.on('close', () => sockets.delete(incoming));
    if (silent) return;
    const outgoing = connect(Number(target.port), target.hostname);
    outgoing.on('error', () => incoming.destroy());
    outgoing.on('close', () => incoming.destroy());
    incoming.on('close', () => outgoing.destroy());
    incoming.on('data', (data) => silent || outgoing.write(data));
    outgoing.on('data', (data) => silent || incoming.write(data));
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const cut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return {
    through(url) {
      const led = new URL(url);
      led.hostname = '127.0.0.1';
      led.port = String(port);
      return led.href;
    },
    cut,
    restore: () => listen(port),
    silence: () => void (silent = true),
    close: async () => void (server.listening && (await cut())),
  };
}
