import type { Attributes, Context, Link } from '@opentelemetry/api';
import { type JsonObject, type RequestId, type RpcResponse, isObject } from '../guard/json-rpc.js';
import { instruments } from './instruments.js';
import { openTelemetry, scopeName } from './open-telemetry.js';

export interface CallDecision {
  /** Undefined for a name that the server does not have: what a caller made up is nobody's label. */
  readonly tool: string | undefined;
  readonly outcome: 'allowed' | 'hidden' | 'unavailable' | 'login';
  readonly code: string;
}

/** One `tools/call` from its arrival to its answer, by the semantic conventions of MCP. */
export interface CallSpan {
  /** What it sets off belongs to it: the handler, and what is asked of the Manager. */
  run<Result>(run: () => Result): Result;
  decided(decision: CallDecision): void;
  /** Undefined where there was no answer. */
  end(response: RpcResponse | undefined): void;
}

export interface ArrivedCall {
  readonly id: RequestId;
  readonly params: JsonObject;
  /** The version of MCP: as agreed, or as the request says. */
  readonly protocol: string | undefined;
  /** `pipe` over stdio. */
  readonly transport: 'pipe' | 'tcp';
}

const method = { 'mcp.method.name': 'tools/call', 'gen_ai.operation.name': 'execute_tool' };

/** Undefined where the application has no OpenTelemetry. Below the span that the caller names in `_meta`, if it does. */
export function beginCall(call: ArrivedCall): CallSpan | undefined {
  const api = openTelemetry();
  const recorded = instruments();
  if (!api || !recorded) return undefined;
  const startedAt = performance.now();
  const { parent, links } = parentOf(call.params);
  const options = { kind: api.SpanKind.SERVER, attributes: attributesOf(call), links };
  const span = api.trace.getTracer(scopeName).startSpan('tools/call', options, parent);
  const own = api.trace.setSpan(parent, span);
  const secondsSince = () => (performance.now() - startedAt) / 1000;
  let labels: Attributes = method;
  let isOver = false;

  return {
    run: (run) => api.context.with(own, run),
    decided({ tool, outcome, code }) {
      const ofTool: Attributes = tool === undefined ? {} : { 'gen_ai.tool.name': tool };
      labels = { ...method, ...ofTool };
      recorded.guardDuration.record(secondsSince(), { outcome });
      recorded.decisions.add(1, { outcome, code, ...ofTool });
      if (!span.isRecording()) return;
      if (tool !== undefined) span.updateName(`tools/call ${tool}`);
      span.setAttributes({ ...ofTool, 'authsec.decision.outcome': outcome, 'authsec.decision.code': code });
    },
    end(response) {
      if (isOver) return;
      isOver = true;
      const errorType = errorTypeOf(response);
      const failed: Attributes = {
        ...(errorType !== undefined && { 'error.type': errorType }),
        ...(response?.error && { 'rpc.response.status_code': String(response.error.code) }),
      };
      recorded.operationDuration.record(secondsSince(), { ...labels, ...failed });
      if (errorType !== undefined) {
        span.setAttributes(failed);
        span.setStatus({ code: api.SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

/** What a caller wrote stands there only where it looks as it should. */
function attributesOf({ id, protocol, transport }: ArrivedCall): Attributes {
  const requestId = String(id);
  return {
    ...method,
    'network.transport': transport,
    ...(transport === 'tcp' && { 'network.protocol.name': 'http' }),
    ...(/^[\w.:-]{1,64}$/.test(requestId) && { 'jsonrpc.request.id': requestId }),
    ...(protocol !== undefined && /^\d{4}-\d\d-\d\d$/.test(protocol) && { 'mcp.protocol.version': protocol }),
  };
}

const traceParent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const maxTraceStateLength = 512;

/** The one in `_meta` comes before that of the HTTP request, to which it is then linked. Baggage is nobody's to bring. */
function parentOf(params: JsonObject): { parent: Context; links: Link[] } {
  const api = openTelemetry();
  if (!api) throw new Error('OpenTelemetry is gone');
  const ambient = api.context.active();
  const meta = params['_meta'];
  const given = isObject(meta) ? meta['traceparent'] : undefined;
  if (typeof given !== 'string' || !traceParent.test(given)) return { parent: ambient, links: [] };
  const state = isObject(meta) ? meta['tracestate'] : undefined;
  const carrier = {
    traceparent: given,
    ...(typeof state === 'string' && state.length <= maxTraceStateLength && { tracestate: state }),
  };
  const ambientSpan = api.trace.getSpanContext(ambient);
  const parent = api.propagation.extract(api.trace.deleteSpan(ambient), carrier);
  if (!api.trace.getSpanContext(parent)) return { parent: ambient, links: [] };
  return { parent, links: ambientSpan ? [{ context: ambientSpan }] : [] };
}

function errorTypeOf(response: RpcResponse | undefined): string | undefined {
  if (response === undefined) return 'cancelled';
  if (response.error !== undefined) return String(response.error.code);
  return isObject(response.result) && response.result['isError'] === true ? 'tool_error' : undefined;
}
