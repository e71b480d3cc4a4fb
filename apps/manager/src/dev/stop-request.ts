export interface StopReason {
  /** What the person at the terminal reads. */
  readonly message: string;
  /** False when it was asked for. */
  readonly failed: boolean;
}

/** The one place where everything that ends the stack comes together: signals, a child's end, an ancestor's end. */
export interface StopRequest {
  readonly requested: Promise<StopReason>;
  /** The first reason counts. */
  stop(reason: StopReason): void;
  /** The value, or a Stopped error as soon as a stop is requested. */
  unlessStopped<T>(work: Promise<T>): Promise<T>;
}

export class Stopped extends Error {
  override readonly name = 'Stopped';
  constructor(readonly reason: StopReason) {
    super(reason.message);
  }
}

export function createStopRequest(): StopRequest {
  let stop: (reason: StopReason) => void = () => {};
  const requested = new Promise<StopReason>((resolve) => (stop = resolve));
  const refusal = requested.then((reason) => Promise.reject(new Stopped(reason)));
  refusal.catch(() => {});
  return { requested, stop, unlessStopped: (work) => Promise.race([work, refusal]) };
}
