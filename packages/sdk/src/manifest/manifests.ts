import { backoffMs, ManagerClientError, type Manifests as ManifestsApi } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import { pause, type Clock } from '../clock.js';
import type { ToolManifest } from './tool-manifest.js';

/** The manifests of one `authsec()`: each is made once, and published once. */
export interface Manifests {
  /** The manifest of servers that look like this, where one was made already. */
  known(fingerprint: string): ToolManifest | undefined;
  remember(fingerprint: string, manifest: ToolManifest): void;
  /** Returns at once. What fails and may pass is tried again, less and less often, until `close`. */
  publish(manifest: ToolManifest): void;
  close(): void;
}

export interface ManifestsOptions {
  readonly api: Pick<ManifestsApi, 'list' | 'publish'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
}

const backoff = { baseMs: 2_000, maxMs: 300_000 };
/** A server whose tools always differ must not fill the Manager. */
const maxManifests = 50;

/** What passes by itself; anything else will be refused the next time too. */
const passing = new Set([
  'timeout',
  'unreachable',
  'invalid_response',
  'rate_limited',
  'internal_error',
  'tenant_unavailable',
  'token_request_failed',
  'invalid_token',
  'conflict',
]);

export function createManifests(options: ManifestsOptions): Manifests {
  const { api, clock, log, random } = options;
  const made = new Map<string, ToolManifest>();
  const begun = new Set<string>();
  const closing = new AbortController();
  const { signal } = closing;

  async function run({ digest, body }: ToolManifest): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const call = { signal, maxRetries: 0 };
        const { manifests } = await api.list({ digest }, call);
        if (manifests.length > 0) return;
        await api.publish(digest, body, {}, call);
        return log.debug('the tools of this server are published', { digest, tools: body.tools.length });
      } catch (error) {
        if (signal.aborted) return;
        const code = error instanceof ManagerClientError ? error.code : 'unknown';
        const details = { code, digest };
        if (!passing.has(code)) return log.info('the tools of this server are not published', details);
        log.debug('the tools of this server could not be published yet', details);
        await pause(clock, backoffMs(failures, backoff, random), signal);
      }
    }
  }

  return {
    known: (fingerprint) => made.get(fingerprint),
    remember(fingerprint, manifest) {
      if (made.size < maxManifests) made.set(fingerprint, manifest);
    },
    publish(manifest) {
      if (signal.aborted || begun.has(manifest.digest) || begun.size >= maxManifests) return;
      begun.add(manifest.digest);
      void run(manifest);
    },
    close: () => closing.abort(),
  };
}
