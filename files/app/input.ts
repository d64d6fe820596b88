import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { NewMessage } from './messages.ts';

/** The client's mistake, with the status that says which. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'BadRequest';
    this.status = status;
  }
}

export const LIMITS = { author: 40, body: 500, bytes: 8192, page: 100 } as const;

const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;
// Everything but the line break that a text field cannot hold.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The whole body of a request as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMITS.bytes) throw new BadRequest(413, `a request may have ${LIMITS.bytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body of a request as the fields of a form or of a JSON object, whichever it says it is. */
export async function readFields(
  request: IncomingMessage,
  kind: 'form' | 'json',
): Promise<Readonly<Record<string, unknown>>> {
  const expected = kind === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  const found = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (found !== expected) throw new BadRequest(415, `expected ${expected}`);
  const body = await readBody(request);
  if (kind === 'form') return Object.fromEntries(new URLSearchParams(body));
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new BadRequest(400, 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequest(400, 'expected a JSON object');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A message that may be stored, or a `BadRequest` that says what is wrong with it. */
export function checkMessage(
  fields: Readonly<Record<string, unknown>>,
  headers: IncomingMessage['headers'],
): NewMessage {
  return {
    author: checkText('author', fields['author'], LIMITS.author).replaceAll('\n', ' '),
    body: checkText('body', fields['body'], LIMITS.body),
    requestId: checkRequestId(fields, headers),
  };
}

/** A whole number in a query, within bounds. */
export function checkNumber(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= 1 && value <= most) return value;
  throw new BadRequest(400, `${name}: expected a whole number from 1 to ${most}`);
}

function checkText(name: string, value: unknown, most: number): string {
  if (typeof value !== 'string') throw new BadRequest(400, `${name}: expected text`);
  const text = value.replaceAll('\r\n', '\n').replace(CONTROL, '').toWellFormed().trim();
  if (text === '') throw new BadRequest(400, `${name}: must not be empty`);
  if ([...text].length > most) throw new BadRequest(400, `${name}: at most ${most} characters`);
  return text;
}

/**
 * What makes a repeated request harmless: the client's own key, the form's, or the id which the balancer gave the
 * request, for it may send one request to two servers when the first one fails.
 */
function checkRequestId(
  fields: Readonly<Record<string, unknown>>,
  headers: IncomingMessage['headers'],
): string {
  const given = headers['idempotency-key'] ?? fields['request_id'];
  if (given !== undefined) {
    if (typeof given === 'string' && REQUEST_ID.test(given)) return given;
    throw new BadRequest(400, 'the idempotency key must have 8 to 64 letters, digits, - or _');
  }
  const passed = headers['x-request-id'];
  return typeof passed === 'string' && REQUEST_ID.test(passed) ? passed : randomUUID();
}
