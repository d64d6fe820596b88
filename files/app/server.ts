import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AppConfig } from './config.ts';
import { Unavailable } from './failure.ts';
import { BadRequest, checkMessage, checkNumber, LIMITS, readFields } from './input.ts';
import { log } from './log.ts';
import type { Answer, Message, Messages } from './messages.ts';
import { loginRoutes } from './login-routes.ts';
import type { Logins } from './logins.ts';
import { boardPage, errorPage } from './pages.ts';
import { openPosition, type Position, POSITION_SECONDS, sealPosition } from './position.ts';
import { cookie, refuseForeignForms, type Reply, type Routes, setCookie } from './reply.ts';

/** Whether the app takes part: the balancers see `stopping` before any connection is refused. */
export type Phase = 'running' | 'stopping';

export interface AppState {
  phase: Phase;
  /** When a balancer last asked for this server's health, in milliseconds since 1970. */
  watchedAt: number;
}

const COOKIE = 'position';
const PAGE = 50;
/** How long the database may take to answer before it counts as out of reach. */
const READY_PATIENCE_MS = 1500;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The app's HTTP server; it does not listen yet. */
export function createApp(
  config: AppConfig,
  messages: Messages,
  state: AppState,
  logins: Logins | undefined,
): Server {
  const key = config.database.password;
  const hasLogin = config.login !== undefined && logins !== undefined;
  const origin = { server: config.server, version: config.version, hasLogin };
  const instanceOn = (host: string): string => config.instances.get(host) ?? host;

  const list = async (
    request: IncomingMessage,
    url: URL,
    limit: number,
  ): Promise<Answer<readonly Message[]>> =>
    messages.list({
      limit,
      before: url.searchParams.has('before')
        ? checkNumber(url.searchParams, 'before', 1, Number.MAX_SAFE_INTEGER)
        : undefined,
      position: openPosition(cookie(request, COOKIE), key),
    });
  const remember = (request: IncomingMessage, position: Position): Record<string, string> => ({
    'set-cookie': setCookie(request, COOKIE, sealPosition(position, key), POSITION_SECONDS),
  });
  const show = ({ acceptedBy, createdAt, ...message }: Message): object => ({
    ...message,
    instance: instanceOn(acceptedBy),
    createdAt: new Date(createdAt).toISOString(),
  });

  const routes: Routes = {
    ...(config.login && logins && loginRoutes(config.login, logins, origin)),
    '/': {
      async GET(request, url) {
        const { value, host } = await list(request, url, PAGE + 1);
        const page = { ...origin, instance: instanceOn(host) };
        return {
          status: 200,
          body: boardPage(value.slice(0, PAGE), page, value.length > PAGE),
          headers: { 'x-database': instanceOn(host) },
        };
      },
    },
    '/messages': {
      async POST(request) {
        refuseForeignForms(request);
        const { position } = await messages.add(
          checkMessage(await readFields(request, 'form'), request.headers),
        );
        return { status: 303, body: '', headers: { ...remember(request, position), location: '/' } };
      },
    },
    '/api/messages': {
      async GET(request, url) {
        const limit = checkNumber(url.searchParams, 'limit', PAGE, LIMITS.page);
        const { value, host } = await list(request, url, limit);
        return {
          status: 200,
          body: { server: config.server, instance: instanceOn(host), messages: value.map(show) },
          headers: { 'x-database': instanceOn(host) },
        };
      },
      async POST(request) {
        const { value, host, position } = await messages.add(
          checkMessage(await readFields(request, 'json'), request.headers),
        );
        return {
          status: 201,
          body: { server: config.server, instance: instanceOn(host), message: show(value) },
          headers: { ...remember(request, position), 'x-database': instanceOn(host) },
        };
      },
    },
    '/api/whoami': {
      async GET() {
        const { writer, reader } = await messages.whoAnswers(config.database.patienceMs);
        const names = { writer: instanceOn(writer), reader: instanceOn(reader) };
        return { status: 200, body: { server: config.server, version: config.version, ...names } };
      },
    },
    // For the balancers: whether this server may get requests.
    '/health': {
      GET: () => {
        state.watchedAt = Date.now();
        return { status: state.phase === 'running' ? 200 : 503, body: { status: state.phase } };
      },
    },
    // For deploys, people and monitoring: whether requests would succeed, and why not.
    '/ready': {
      async GET() {
        const reasons =
          state.phase === 'running'
            ? (
                await Promise.all([messages.lacks(READY_PATIENCE_MS), logins?.lacks(READY_PATIENCE_MS) ?? []])
              ).flat()
            : [`the app is ${state.phase}`];
        const { version } = config;
        return reasons.length === 0
          ? { status: 200, body: { status: 'ready', version } }
          : { status: 503, body: { status: 'not ready', version, reason: reasons.join('; ') } };
      },
    },
  };

  const respond = async (request: IncomingMessage, url: URL): Promise<Reply> => {
    const methods = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
    if (!methods) throw new BadRequest(404, 'there is nothing here');
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (handler) return handler(request, url);
    return {
      ...failureReply(new BadRequest(405, 'not this way'), url, request),
      headers: { allow: Object.keys(methods).join(', ') },
    };
  };

  const failureReply = (error: unknown, url: URL, request: IncomingMessage): Reply => {
    const known =
      error instanceof BadRequest
        ? { status: error.status, message: error.message }
        : error instanceof Unavailable
          ? { status: 503, message: `${capital(error.message)}. Please try again in a moment.` }
          : { status: 500, message: 'Something went wrong on our side.' };
    // By its id the request is found in the logs of the balancers and of Nginx, too.
    const id = request.headers['x-request-id'];
    if (known.status >= 500)
      log(
        `${request.method} ${url.pathname}${id === undefined ? '' : ` (${String(id)})`}: ${describe(error)}`,
      );
    const plain = /^\/(api\/|health$|ready$)/.test(url.pathname);
    return {
      status: known.status,
      body: plain ? { error: known.message } : errorPage(known.status, known.message, origin),
      ...(known.status === 503 && { headers: { 'retry-after': '1' } }),
    };
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url?.startsWith('/') ? `http://app${request.url}` : 'http://app/invalid');
    Promise.resolve()
      .then(() => respond(request, url))
      .catch((error: unknown) => failureReply(error, url, request))
      .then((reply) => send(request, response, reply, config.server, state))
      .catch((error: unknown) => {
        log(describe(error));
        response.destroy();
      });
  });
  // Longer than Nginx keeps its idle connections, so that none is closed just when it is used again.
  server.keepAliveTimeout = 75_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  return server;
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  server: string,
  state: AppState,
): void {
  const text = typeof reply.body === 'string' ? reply.body : `${JSON.stringify(reply.body)}\n`;
  response.writeHead(reply.status, {
    ...SECURITY_HEADERS,
    'content-type': typeof reply.body === 'string' ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-served-by': server,
    // A body that was not read to its end would be taken for the next request.
    ...((state.phase === 'stopping' || !request.complete) && { connection: 'close' }),
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return error instanceof Unavailable ? `${error.message}${cause}` : (error.stack ?? error.message);
}
