import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

import { needsPython, testWith } from '../needs.ts';

const run = promisify(execFile);
const oracle = fileURLToPath(new URL('oracle.py', import.meta.url));
const python = '/usr/bin/python3';

const withOracle = testWith(needsPython(['jinja2', 'ansible'], 'python3-jinja2 ansible-core'), test);

withOracle("the cases' expectations are what Python's Jinja2 and Ansible's filters answer", async (t) => {
  const { stdout } = await run(python, [oracle, '--verify'], { timeout: 100_000 });
  t.regex(stdout, /^\d+ cases, 0 differ\n$/m);
});
