import { randomUUID } from 'node:crypto';
import { LIMITS } from './input.ts';
import type { Message } from './messages.ts';

/** Who made a page. */
export interface Origin {
  readonly server: string;
  readonly instance: string;
  readonly version: string;
  /** Whether one can log in. */
  readonly hasLogin: boolean;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML shows it, in content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** The board with its messages, newest first. */
export function boardPage(messages: readonly Message[], origin: Origin, older: boolean): string {
  const last = messages.at(-1);
  return layout(
    'Board',
    origin,
    `<form method="post" action="/messages" class="card">
  <input type="hidden" name="request_id" value="${randomUUID()}">
  <label>Name <input name="author" required maxlength="${LIMITS.author}" autocomplete="nickname"></label>
  <label>Message <textarea name="body" required maxlength="${LIMITS.body}" rows="3"></textarea></label>
  <button>Post</button>
</form>
${messages.length === 0 ? '<p class="empty">Nothing yet. Write the first message.</p>' : ''}
<ol class="messages">
${messages.map((message) => messageItem(message, origin)).join('\n')}
</ol>
${older && last ? `<p><a href="/?before=${last.id}">Older messages</a></p>` : ''}`,
  );
}

/** Where one logs in; or, for a user who is, out. */
export function loginPage(
  origin: Origin,
  form: {
    readonly formToken: string;
    readonly user?: string | undefined;
    readonly failure?: string | undefined;
  },
): string {
  const hidden = `<input type="hidden" name="form" value="${escapeHtml(form.formToken)}">`;
  if (form.user !== undefined) {
    return layout(
      'Login',
      origin,
      `<form method="post" action="/logout" class="card">
  ${hidden}
  <p>You are <b>${escapeHtml(form.user)}</b>.</p>
  <button>Log out</button>
</form>`,
    );
  }
  return layout(
    'Login',
    origin,
    `<form method="post" action="/login" class="card">
  ${hidden}
  ${form.failure === undefined ? '' : `<p role="alert">${escapeHtml(form.failure)}</p>`}
  <label>User <input name="user" required autocomplete="username"></label>
  <label>Password <input name="password" type="password" required autocomplete="current-password"></label>
  <button>Log in</button>
</form>`,
  );
}

/** A page that says what went wrong. */
export function errorPage(status: number, message: string, origin: Omit<Origin, 'instance'>): string {
  return layout(
    String(status),
    { ...origin, instance: '–' },
    `<section class="card"><h2>${status}</h2><p>${escapeHtml(message)}</p><p><a href="/">Back to the board</a></p></section>`,
  );
}

function messageItem(message: Message, origin: Origin): string {
  const at = new Date(message.createdAt).toISOString();
  const name = escapeHtml(message.author);
  return `<li class="card" id="message-${message.id}">
  <p class="body">${escapeHtml(message.body)}</p>
  <p class="meta"><b>${name}</b> · <time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>
  · taken by ${escapeHtml(message.server)}${message.server === origin.server ? ' (this server)' : ''}</p>
</li>`;
}

function layout(title: string, origin: Origin, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · foobar</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header><h1><a href="/">foobar</a></h1>
<p class="origin"><span>server <b>${escapeHtml(origin.server)}</b></span> <span>database <b>${escapeHtml(origin.instance)}</b></span></p></header>
<main>
${content}
</main>
<footer>release ${escapeHtml(origin.version)}${origin.hasLogin ? ' · <a href="/login">login</a>' : ''}</footer>
</body>
</html>
`;
}
