import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

const run = promisify(execFile);
const oracle = fileURLToPath(new URL('oracle.py', import.meta.url));
const python = '/usr/bin/python3';

async function hasOracle(): Promise<boolean> {
  try {
    await run(python, ['-c', 'import jinja2, ansible']);
    return true;
  } catch {
    return false;
  }
}

test("the cases' expectations are what Python's Jinja2 and Ansible's filters answer", async (t) => {
  if (!(await hasOracle())) {
    t.log(
      'python3-jinja2 and ansible-core are not installed here: the expectations were not asked for again',
    );
    t.pass();
    return;
  }
  const { stdout } = await run(python, [oracle, '--verify'], { timeout: 100_000 });
  t.regex(stdout, /^\d+ cases, 0 differ\n$/m);
});
