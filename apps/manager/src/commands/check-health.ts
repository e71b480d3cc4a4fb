import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { loadConfig } from '../config/load-config.js';
import { type CommandContext, CommandFailure } from './command-context.js';

/** Asks the Manager that runs with the same settings on this machine; for a container's health check. */
export async function checkHealth(context: CommandContext, { live }: { readonly live: boolean }): Promise<void> {
  const { host, port, tls } = loadConfig(context.process.env);
  const path = live ? '/healthz' : '/readyz';
  const address = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  // It is this machine's own: whose certificate it shows for its public name is not the question here.
  const options = { host: address, port, path, timeout: 4_000, rejectUnauthorized: false };
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = (tls ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 4 s')));
    request.on('error', reject);
    request.end();
  });
  if (status !== 200) throw new CommandFailure(`${path} answered ${status}`);
  context.print('ok');
}
