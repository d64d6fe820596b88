import { z } from 'zod';

import { query, type FactQuery } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { glob } from '../facts/glob.ts';
import { jsonText } from '../lib/json-text.ts';
import { fromPlain } from '../lib/value.ts';
import type { Outcome, Plan, Result } from '../steps/plan.ts';
import type { StepOutput } from '../steps/step.ts';
import {
  args,
  bool,
  choice,
  fileAliases,
  fileArguments,
  int,
  list,
  path,
  str,
  unsupported,
} from './kit/arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { placedAt } from './parts/file-plan.ts';
import { defineModule } from './kit/define.ts';
import { httpArguments, redirectCount, redirects, requestHeaders, timeout } from './parts/http-arguments.ts';

const uriArgs = args({
  ...httpArguments,
  method: str
    .default('GET')
    .transform((value) => value.toUpperCase())
    .describe('The method, such as GET or POST.'),
  body: z.unknown().optional().describe('The body; a dictionary or list is written as `body_format` says.'),
  body_format: choice('form-urlencoded', 'json', 'raw')
    .default('raw')
    .describe('How the body is written, and its `Content-Type` unless a header gives one.'),
  status_code: list(int).default([200]).describe('Statuses that count as success.'),
  return_content: bool.default(false).describe("Return the answer's text as `content`."),
  follow_redirects: redirects.describe('`safe` follows those of GET and HEAD, `all` every one.'),
  timeout: timeout.default(30).describe('For how many seconds the server may be silent.'),
  creates: path
    .optional()
    .describe('Do nothing when this file, or one that matches this pattern, exists on the target.'),
  removes: path
    .optional()
    .describe('Do something only when this file, or one that matches this pattern, exists on the target.'),
  dest: path.optional().describe('A file on the target to write the answer to.'),
  src: unsupported('give its content as body: "{{ lookup(\'file\', …) }}"'),
  remote_src: bool.default(false).describe('Accepted, and without effect: it belongs to `src`.'),
  unix_socket: unsupported('requests go over TCP'),
  ...fileArguments,
});

type UriArgs = (typeof uriArgs)['_output'];

/** Asks an HTTP server from the target's place in the network. */
export const uri = defineModule({
  name: 'ansible.builtin.uri',
  summary: "Makes an HTTP request from the target's place in the network.",
  example: `
- name: Wait until the app answers
  ansible.builtin.uri:
    url: http://127.0.0.1:8080/healthz
    status_code: 200
`,
  args: uriArgs,
  aliases: { url_username: ['user'], url_password: ['password'], ...fileAliases },
  paths: ['creates', 'removes', 'dest', 'ca_path'],
  afterwards: placedAt('path'),
  facts: (given): FactQuery[] => [
    ...[given.creates, given.removes].flatMap((item) => (item === undefined ? [] : [query(glob, item)])),
    ...(given.dest === undefined ? [] : [query(fileFact, { path: given.dest, checksum: 'sha1' as const })]),
  ],
  plan(given, facts): Plan {
    if (given.creates !== undefined && facts.get(query(glob, given.creates)).length > 0) {
      return { kind: 'unchanged', result: { msg: `skipped, since ${given.creates} exists` } };
    }
    if (given.removes !== undefined && facts.get(query(glob, given.removes)).length === 0) {
      return { kind: 'unchanged', result: { msg: `skipped, since ${given.removes} does not exist` } };
    }
    const headers = requestHeaders(given);
    const body = bodyOf(given, headers);
    const at =
      given.dest === undefined
        ? undefined
        : facts.get(query(fileFact, { path: given.dest, checksum: 'sha1' }));
    return {
      kind: 'action',
      steps: [
        {
          kind: 'http',
          url: given.url,
          method: given.method,
          headers,
          body,
          timeoutMs: given.timeout * 1000,
          validateCerts: given.validate_certs,
          caPath: given.ca_path,
          useProxy: given.use_proxy,
          redirects: redirectCount(given.follow_redirects, given.method),
          ...(given.dest === undefined
            ? {}
            : {
                save: {
                  path: given.dest,
                  attributes: attributesOf(given),
                  unlessSha1: at?.exists ? at.checksum : undefined,
                },
              }),
        },
      ],
      finish: ([output]) => finish(given, output),
      inCheckMode: 'skip',
      effect: isSafe(given.method) ? (given.dest === undefined ? 'nothing' : 'host') : 'anything',
    };
  },
});

/** What HTTP calls safe: methods that are not meant to change anything (RFC 9110, 9.2.1). */
function isSafe(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method);
}

function bodyOf(given: UriArgs, headers: Record<string, string>): Buffer | undefined {
  const { body } = given;
  if (body === undefined || body === null) return undefined;
  const type = (value: string): void => {
    headers['content-type'] ??= value;
  };
  if (given.body_format === 'json') {
    type('application/json');
    return Buffer.from(typeof body === 'string' ? body : jsonText(fromPlain(body)));
  }
  if (given.body_format === 'form-urlencoded') {
    type('application/x-www-form-urlencoded');
    if (typeof body === 'string') return Buffer.from(body);
    const pairs =
      Array.isArray(body) || body instanceof Map
        ? (body as Iterable<[unknown, unknown]>)
        : Object.entries(body);
    const form = new URLSearchParams();
    for (const [name, value] of pairs) {
      for (const item of Array.isArray(value) ? value : [value]) form.append(String(name), String(item));
    }
    return Buffer.from(form.toString());
  }
  return Buffer.from(typeof body === 'object' ? jsonText(fromPlain(body)) : String(body));
}

function finish(given: UriArgs, output: StepOutput | undefined): Outcome {
  const base = { url: given.url, redirected: false };
  if (output?.kind !== 'http') {
    const message = output?.kind === 'no-answer' ? output.message : 'no answer';
    return {
      status: 'failed',
      message: `Status code was -1 and not [${given.status_code.join(', ')}]: ${message}`,
      result: { ...base, status: -1, elapsed: output && 'ms' in output ? Math.round(output.ms / 1000) : 0 },
    };
  }
  const text = output.body.toString('utf8');
  const isJson =
    /^application\/([\w.+-]*\+)?json\b|^text\/(x-)?javascript\b|^application\/(x-)?javascript\b/.test(
      output.headers['content-type'] ?? '',
    );
  const result = {
    ...Object.fromEntries(
      Object.entries(output.headers).map(([name, value]) => [name.toLowerCase().replaceAll('-', '_'), value]),
    ),
    ...base,
    url: output.url,
    redirected: output.url !== given.url,
    status: output.status,
    elapsed: Math.round(output.ms / 1000),
    ...(isJson ? jsonOf(text) : {}),
    ...cookiesOf(output.headers['set-cookie']),
    ...(given.return_content ? { content: text } : {}),
    ...(given.dest === undefined ? {} : { path: given.dest }),
  };
  if (!given.status_code.includes(output.status)) {
    const said = output.status >= 400 ? `: HTTP Error ${output.status}: ${output.reason ?? ''}` : '';
    return {
      status: 'failed',
      message: `Status code was ${output.status} and not [${given.status_code.join(', ')}]${said}`,
      result: { ...result, content: text },
    };
  }
  return {
    status: 'ok',
    changed: given.dest !== undefined,
    result: { ...result, msg: `OK (${output.size} bytes)` },
  };
}

/** The cookies that were set, without what else is said of them. */
function cookiesOf(header: string | undefined): Result {
  const pairs = (header ?? '')
    .split(/,\s*(?=[^;,\s=]+=)/)
    .map((cookie) => /^([^;=\s]+)=([^;]*)/.exec(cookie))
    .filter((match) => match !== null)
    .map(([, name = '', value = '']): [string, string] => [name, value]);
  return {
    cookies: Object.fromEntries(pairs),
    cookies_string: pairs.map(([name, value]) => `${name}=${value}`).join('; '),
  };
}

function jsonOf(text: string): { readonly json?: unknown } {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return {};
  }
}
