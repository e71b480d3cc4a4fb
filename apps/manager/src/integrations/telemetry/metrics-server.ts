import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { listen } from '../../http/listen.js';
import { PrometheusReader } from './prometheus-reader.js';

export interface MetricsServer {
  readonly port: number;
  readonly reader: IMetricReader;
  close(): Promise<void>;
}

/** `GET /metrics` for Prometheus and nothing else, on a port of its own. Rejects where the address cannot be had. */
export async function createMetricsServer(address: { host: string; port: number }): Promise<MetricsServer> {
  const exporter = new PrometheusReader();
  const server = await listen((request, response) => {
    const isScrape = request.method === 'GET' && request.url?.split('?', 1)[0] === '/metrics';
    if (isScrape) return exporter.getMetricsRequestHandler(request, response);
    response.writeHead(404).end();
  }, address);
  return { port: server.port, reader: exporter, close: () => server.close(500) };
}
