// The last word of `npm ci`: which Node the project runs on, where that is another than npm's own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './common.ts';

/**
 * What a newcomer shall know whose npm runs on an older Node than the project needs: npm warns of it for each package,
 * and cannot know that the right one is among them. `userAgent` is what npm calls itself (npm_config_user_agent).
 */
export function nodeNote(userAgent: string, engines: string): string | undefined {
  const running = /\bnode\/v(\d+)(\S*)/.exec(userAgent);
  const needed = Number(/\d+/.exec(engines)?.[0]);
  if (running === null || Number(running[1]) >= needed) return undefined;
  return (
    `Understudy runs on Node.js ${needed}, which npm has just put into node_modules; the npm scripts use it by themselves.\n` +
    `The EBADENGINE warnings above are about Node.js ${running[1]}${running[2]}, which only npm itself runs on: nothing is wrong.\n`
  );
}

if (import.meta.main) {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  process.stdout.write(nodeNote(process.env['npm_config_user_agent'] ?? '', engines.node) ?? '');
}
