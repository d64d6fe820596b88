import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

// Everything in this file must run under any Node since 18: it finds the Node that the program needs.

const ROOT = new URL('../', import.meta.url);

/**
 * Runs a program: from the sources in a checkout, so that nothing has to be built and nothing built can be stale, and
 * from dist/ in the published package, which has no sources since Node strips no types below node_modules.
 * @param {'provision' | 'failover'} program
 */
export async function launch(program) {
  const source = `src/bin/${program}.ts`;
  if (existsSync(new URL(source, ROOT))) await runSource(program, source);
  else await import(new URL(`dist/bin/${program}.js`, ROOT).href);
}

/**
 * Runs a file of the checkout under this Node, or under the one that npm has put there.
 * @param {string} program what the user called
 * @param {string} file its path in the checkout
 */
export async function runSource(program, file) {
  const source = new URL(file, ROOT);
  if (!existsSync(new URL('node_modules', ROOT))) {
    fail(`${program}: the packages that it uses are not installed`, `npm ci in ${fileURLToPath(ROOT)}`);
    return;
  }
  const needed = neededNode();
  if (Number.parseInt(process.versions.node, 10) >= needed) {
    await import(source.href);
    return;
  }
  const own = new URL('node_modules/.bin/node', ROOT);
  if (existsSync(own)) runUnder(fileURLToPath(own), fileURLToPath(source));
  else {
    fail(
      `${program}: Node.js ${needed} or newer is needed, and this is Node.js ${process.versions.node}`,
      `npm ci in ${fileURLToPath(ROOT)} brings one along, unless it is kept from running scripts (ignore-scripts)`,
    );
  }
}

/** @returns {number} the oldest major version of Node.js that the package says it runs on */
function neededNode() {
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  return Number(/\d+/.exec(manifest.engines.node)?.[0]);
}

/**
 * Goes on under the Node.js that npm installed in the checkout, and ends as that ends.
 * @param {string} node
 * @param {string} script
 */
function runUnder(node, script) {
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; what was sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(error.message));
  child.on('close', (status, signal) => {
    process.exitCode = status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

/**
 * @param {string} message
 * @param {string} [hint]
 */
function fail(message, hint) {
  process.stderr.write(`error: ${message}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`);
  process.exitCode = 1;
}
