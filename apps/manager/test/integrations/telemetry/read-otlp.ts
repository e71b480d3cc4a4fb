/** A span as a collector gets it (opentelemetry-proto, trace/v1). */
export interface OtlpSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where it has none. */
  readonly parentId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Field = readonly [number: number, value: bigint | Buffer];

/** The spans of one request to `/v1/traces`, in protobuf. */
export function readSpans(body: Buffer): OtlpSpan[] {
  return messagesIn(body, 1).flatMap((ofResource) => {
    const resource = attributesIn(messagesIn(ofResource, 1)[0] ?? Buffer.alloc(0), 1);
    return messagesIn(ofResource, 2).flatMap((ofScope) =>
      messagesIn(ofScope, 2).map((span) => {
        const [traceId, spanId, parentId = ''] = [1, 2, 4].map((field) => messagesIn(span, field)[0]?.toString('hex'));
        return {
          service: resource['service.name'] ?? '',
          traceId: String(traceId),
          spanId: String(spanId),
          parentId,
          name: messagesIn(span, 5)[0]?.toString('utf8') ?? '',
          attributes: attributesIn(span, 9),
        };
      }),
    );
  });
}

function attributesIn(message: Buffer, field: number): Record<string, string> {
  return Object.fromEntries(
    messagesIn(message, field).map((pair) => {
      const [key] = messagesIn(pair, 1);
      const [value] = fieldsIn(messagesIn(pair, 2)[0] ?? Buffer.alloc(0));
      return [String(key), value?.[1] instanceof Buffer ? value[1].toString('utf8') : String(value?.[1])];
    }),
  );
}

function messagesIn(message: Buffer, field: number): Buffer[] {
  return fieldsIn(message).flatMap(([number, value]) => (number === field && value instanceof Buffer ? [value] : []));
}

function fieldsIn(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const key = Number(varint());
    const kind = key & 7;
    if (kind === 0) fields.push([key >> 3, varint()]);
    else if (kind === 1) fields.push([key >> 3, bytes(8)]);
    else if (kind === 2) fields.push([key >> 3, bytes(Number(varint()))]);
    else if (kind === 5) fields.push([key >> 3, bytes(4)]);
    else throw new Error(`no protobuf: wire type ${kind}`);
  }
  return fields;
}
