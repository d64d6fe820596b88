#!/usr/bin/env node
import module from 'node:module';

import { nodeLimitation } from './package.ts';

// The rest is imported only after the check: an old Node may not even be able to parse it.
const limitation = nodeLimitation();
if (limitation === undefined) {
  module.enableCompileCache();
  const { runProgram } = await import('./run-program.ts');
  const { provisionProgram } = await import('./provision-program.ts');
  await runProgram(provisionProgram);
} else {
  process.stderr.write(`provision: ${limitation}\n`);
  process.exitCode = 1;
}
