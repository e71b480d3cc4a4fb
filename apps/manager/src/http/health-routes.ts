import { Router } from 'express';

/** `/healthz`: the process answers. `/readyz`: it should be given requests (its database answers, it is not stopping). */
export function createHealthRoutes(isReady: () => Promise<boolean>): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const ready = await isReady().catch(() => false);
    response
      .status(ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: ready ? 'ready' : 'not_ready' });
  });
  return router;
}
