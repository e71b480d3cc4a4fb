/** Asks the demo on this machine whether it answers; for the health check of a container. */
const port = process.env['AUTHSEC_DEMO_PORT'] || '4701';
const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) }).catch(
  () => undefined,
);
process.exit(answer?.ok ? 0 : 1);

export {};
