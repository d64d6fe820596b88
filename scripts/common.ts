import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

/** The project's directory. */
export const ROOT = join(import.meta.dirname, '..');

const TOOLS = join(ROOT, 'node_modules', '.bin');

/**
 * Goes on under the Node that the project brings along when the running one is too old. Node 22.18 and later get as far
 * as this; what is older cannot read TypeScript, but npm puts the right one first anyway.
 */
export function ensureNode(): void {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const needed = Number(/\d+/.exec(manifest.engines.node)?.[0]);
  if (Number.parseInt(process.versions.node, 10) >= needed) return;
  const own = join(TOOLS, 'node');
  if (!existsSync(own)) {
    process.stderr.write(
      `Node.js ${needed} or newer is needed, and this is ${process.versions.node}.\n` +
        '  hint: `npm ci` brings one along; then use the npm scripts (npm start, npm test)\n',
    );
    process.exit(1);
  }
  const ended = spawnSync(own, process.argv.slice(1), { stdio: 'inherit' });
  process.exit(ended.status ?? 1);
}

/** The environment in which the project's own tools and Node come first. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${TOOLS}:${process.env['PATH'] ?? ''}` };
}

/** Runs a development tool of node_modules with our standard streams; gives its exit status. */
export function runTool(tool: string, args: readonly string[]): Promise<number> {
  return runCommand([join(TOOLS, tool), ...args]);
}

/** Runs a program with our standard streams; gives its exit status, a signal as 128 and its number. */
export function runCommand(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const [program, ...args] = argv;
  if (program === undefined) throw new RangeError('an empty command line');
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...toolEnvironment(), ...environment },
  });
  // Ctrl-C reaches the child by itself; it says how it ends.
  const wait = (): void => {};
  process.on('SIGINT', wait);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      process.off('SIGINT', wait);
      resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * Bundles what the hosts run from the sources as they are now, not as they were when the packages were installed. Gives
 * the scripts that failed.
 */
export async function buildBundles(): Promise<readonly string[]> {
  const scripts = ['scripts/build-app.ts', 'scripts/build-failover.ts', 'scripts/build-drill.ts'];
  const ends = await Promise.all(
    scripts.map(async (script) => await runCommand([process.execPath, join(ROOT, script)])),
  );
  return scripts.filter((_, index) => ends[index] !== 0);
}
