import express, { type Express } from 'express';
import helmet from 'helmet';
import { createAuthorizationServer } from './authorization-server/create-authorization-server.js';
import type { Container } from './container.js';
import { bindContract } from './http/api-routes.js';
import { createHealthRoutes, type HealthProbes } from './http/health-routes.js';
import { createErrorHandler, notFound } from './http/middleware/error-handler.js';
import { observeRequests } from './http/middleware/observe-request.js';
import { requestId } from './http/middleware/request-id.js';
import { createRequestLog } from './http/middleware/request-log.js';
import { createApi } from './http/routes.js';

/** The order of everything that a request goes through. */
export function createApp(container: Container): Express {
  const { config, clock, gate, logger } = container;
  const refusals = container.rateLimits.create('refused_tokens', { points: 120, windowSeconds: 60 });
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('trust proxy', [...config.trustedProxies]);

  app.use(requestId);
  app.use(observeRequests(container.telemetry));
  app.use(createRequestLog(logger, clock));
  app.use(helmet({ strictTransportSecurity: !config.dangerouslyAllowHttp }));
  app.use(createHealthRoutes(healthProbes(container)));
  app.use(createAuthorizationServer(container));
  app.use(createApi(bindContract(container), { gate, clock, refusals }));
  app.use(notFound);
  app.use(createErrorHandler(logger));
  return app;
}

function healthProbes({ master, secrets, stopping }: Container): HealthProbes {
  return { database: () => master.$queryRaw`SELECT 1`, secretStore: () => secrets.health(), stopping };
}
