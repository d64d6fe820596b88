#!/usr/bin/env node
import module from 'node:module';

import { nodeLimitation } from './package.ts';

// The rest is imported only after the check: an old Node may not even be able to parse it.
const limitation = nodeLimitation();
if (limitation === undefined) {
  // Not in the Node.js that the daemon's bundle may run on.
  (module as Partial<typeof module>).enableCompileCache?.();
  const { runProgram } = await import('./run-program.ts');
  const { failoverProgram } = await import('./failover-program.ts');
  await runProgram(failoverProgram);
} else {
  process.stderr.write(`failover: ${limitation}\n`);
  process.exitCode = 1;
}
