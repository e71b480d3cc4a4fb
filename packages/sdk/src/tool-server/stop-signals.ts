const signals = ['SIGINT', 'SIGTERM'] as const;

/** On the first signal to stop does `stop`, and then lets the signal end the process. Returns the function that forgets it. */
export function onceStopped(stop: () => Promise<void>): () => void {
  const forget = (): void => {
    for (const signal of signals) process.off(signal, stopBy);
  };
  const stopBy = (signal: NodeJS.Signals): void => {
    forget();
    void stop().finally(() => process.kill(process.pid, signal));
  };
  for (const signal of signals) process.on(signal, stopBy);
  return forget;
}
