type OpenTelemetryApi = typeof import('@opentelemetry/api');

let api: OpenTelemetryApi | undefined;
let loading: Promise<void> | undefined;
let nothing: { readonly tracers: object; readonly meter: object } | undefined;

/** Looks once whether the application has OpenTelemetry: an optional peer, so that it is the copy that was set up there. */
export function loadOpenTelemetry(): Promise<void> {
  loading ??= import('@opentelemetry/api').then(
    (loaded) => {
      nothing = { tracers: new loaded.ProxyTracerProvider().getDelegate(), meter: loaded.createNoopMeter() };
      api = loaded;
    },
    () => {},
  );
  return loading;
}

/** Undefined where there is none, or nobody set it up, or not yet: then nothing is recorded, and nothing is spent on it. */
export function openTelemetry(): OpenTelemetryApi | undefined {
  return api !== undefined && isSetUp(api) ? api : undefined;
}

function isSetUp({ trace, metrics }: OpenTelemetryApi): boolean {
  const tracers = trace.getTracerProvider();
  const delegate: unknown = 'getDelegate' in tracers ? (tracers as { getDelegate(): unknown }).getDelegate() : tracers;
  if (delegate !== nothing?.tracers) return true;
  const meters = metrics.getMeterProvider();
  return meters.getMeter(scopeName) !== nothing?.meter;
}

/** Without spans of the application's instrumentations, which write down whole URLs. */
export function untraced<Result>(run: () => Result): Result {
  const api = openTelemetry();
  if (!api) return run();
  const suppressed = api.createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
  return api.context.with(api.context.active().setValue(suppressed, true), run);
}

export const scopeName = '@authsec/sdk';
