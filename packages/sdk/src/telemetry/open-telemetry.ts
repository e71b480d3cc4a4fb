type OpenTelemetryApi = typeof import('@opentelemetry/api');

let api: OpenTelemetryApi | undefined;
let loading: Promise<void> | undefined;

/** Looks once whether the application has OpenTelemetry: an optional peer, so that it is the copy that was set up there. */
export function loadOpenTelemetry(): Promise<void> {
  loading ??= import('@opentelemetry/api').then(
    (loaded) => void (api = loaded),
    () => {},
  );
  return loading;
}

/** Undefined where there is none, or not yet: then nothing is recorded, and nothing is spent on it. */
export function openTelemetry(): OpenTelemetryApi | undefined {
  return api;
}

export const scopeName = '@authsec/sdk';
