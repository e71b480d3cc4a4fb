import { setTimeout as wait } from 'node:timers/promises';

const patienceMs = 20_000;

interface Ask {
  readonly token?: string;
  readonly body?: unknown;
}

/** The parsed answer, undefined without a body; an Error that names status and reasons for what is not 2xx. */
export async function askOpenBao(address: string, method: string, path: string, ask: Ask = {}): Promise<unknown> {
  const response = await fetch(`${address}/v1/${path}`, {
    method,
    headers: ask.token ? { 'X-Vault-Token': ask.token } : {},
    ...(ask.body !== undefined && { body: JSON.stringify(ask.body) }),
    signal: AbortSignal.timeout(patienceMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`OpenBao answered ${response.status} to ${method} ${path}: ${text.slice(0, 500)}`);
  return text ? (JSON.parse(text) as unknown) : undefined;
}

/** Until it answers at all or, where `active`, until it takes requests. */
export async function waitForOpenBao(address: string, ended: Promise<string>, wanted?: 'active'): Promise<void> {
  let gone: string | undefined;
  void ended.then((log) => (gone = log));
  const giveUpAt = Date.now() + patienceMs;
  while (gone === undefined && Date.now() < giveUpAt) {
    const response = await fetch(`${address}/v1/sys/health`, { signal: AbortSignal.timeout(1_000) }).catch(() => {});
    if (response && (!wanted || response.status === 200)) return;
    await wait(25);
  }
  throw new Error(gone === undefined ? 'OpenBao did not answer in time' : `OpenBao ended as it started: ${gone}`);
}
