import { createHash } from 'node:crypto';

import type { PageAssets } from './assets.ts';

export interface PageDocument {
  readonly html: string;
  /** The content security policy under which the document works: its own script and style, and its own origin. */
  readonly policy: string;
}

/** One in the light, and one behind it. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="20" cy="16" r="9" fill="none" stroke="#7d8b99" stroke-width="3"/><circle cx="12" cy="16" r="10" fill="#1f56c4"/></svg>`;

/** The document of the page: nothing of it is loaded from elsewhere, and nothing else may run in it. */
export function pageDocument({ script, style }: PageAssets): PageDocument {
  // The text of a script ends at the first such word, wherever it stands.
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error('the script would end too early');
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="icon.svg">
<title>Understudy</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript: it shows what changes while you look. \`failover status --watch\` does without.</noscript>
<script type="module">${script}</script>
</body>
</html>
`;
  return { html, policy };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
