// What a host costs this machine's processor: 43 tasks with nothing to change on many hosts that cost nothing themselves.
// One host's answers are taken down from a shell of this machine; every host of the fleet gives the same ones.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadInventory } from '../src/inventory/load.ts';
import { SecretRegistry } from '../src/lib/secret.ts';
import { systemEnvironment } from '../src/lib/system-path.ts';
import { loadPlaybook } from '../src/playbook/load.ts';
import { runPlaybook, type Recap } from '../src/run/run-playbook.ts';
import { recordingTransport, type RecordedAnswer } from '../src/transport/recording.ts';
import { renderStatic } from '../src/variables/static.ts';

const HOSTS = Number(process.argv[2] ?? 300);
const directory = mkdtempSync(join(tmpdir(), 'understudy-fleet-'));
cpSync(import.meta.dirname, directory, { recursive: true });
const inventory = join(directory, 'hosts.ini');
const playbookFile = join(directory, '43-tasks.yml');
for (const file of [playbookFile, join(directory, 'templates/some.j2')])
  writeFileSync(file, besideTheSystem(readFileSync(file, 'utf8')));

/** The same tasks, on files that anybody may write; what would install or start something is left out. */
function besideTheSystem(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/systemd_service|builtin\.(user|group):/.test(line))
    .join('\n')
    .replace(/ {4}- name: Install packages[\s\S]*?(?= {4}- \{ name: Directory 1)/, '')
    .replaceAll('/opt/bench', join(directory, 'host'))
    .replaceAll('/etc/hosts', join(directory, 'etc-hosts'))
    .replaceAll('/etc/environment', join(directory, 'etc-environment'))
    .replaceAll('become: true', 'become: false')
    .replaceAll(', group: adm', '')
    .replaceAll('{{ inventory_hostname }}', '{{ inventory_hostname[:0] }}');
}

/** Scripts end their sections with a nonce; without it, the same question is the same text. */
const NONCE = /[0-9a-f]{32}(?= %s\\n'|\\n' >&2)/;
const answers = new Map<string, RecordedAnswer>();
let answering = 0;

function answer({ script }: { readonly script: string }): RecordedAnswer {
  const before = process.cpuUsage();
  const nonce = NONCE.exec(script)?.[0] ?? 'none';
  const question = script.replaceAll(nonce, 'NONCE');
  let known = answers.get(question);
  if (!known) {
    const { status, stdout, stderr } = spawnSync('/bin/sh', [], {
      input: `{\n${script}\n} </dev/null\n`,
      env: systemEnvironment(),
    });
    known = { status: status ?? 1, stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1') };
    known = {
      status: known.status ?? 1,
      stdout: String(known.stdout).replaceAll(nonce, 'NONCE'),
      stderr: String(known.stderr).replaceAll(nonce, 'NONCE'),
    };
    if (remembers) answers.set(question, known);
  }
  const given = {
    status: known.status ?? 1,
    stdout: Buffer.from(String(known.stdout).replaceAll('NONCE', nonce), 'latin1'),
    stderr: Buffer.from(String(known.stderr).replaceAll('NONCE', nonce), 'latin1'),
  };
  const { user, system } = process.cpuUsage(before);
  answering += user + system;
  return given;
}

let remembers = false;

async function run(hosts: number): Promise<Recap> {
  writeFileSync(
    inventory,
    `[servers]\n${Array.from({ length: hosts }, (_, index) => `h${index + 1}\n`).join('')}`,
  );
  const loaderOptions = { renderStatic: renderStatic(new Map()) };
  return await runPlaybook({
    playbook: loadPlaybook(playbookFile, loaderOptions),
    inventory: loadInventory(inventory),
    loaderOptions,
    transport: recordingTransport({ answer }),
    secrets: new SecretRegistry(),
    emit: () => {},
    signal: new AbortController().signal,
    settings: {
      checkMode: false,
      diffMode: false,
      tags: [],
      skipTags: [],
      extraVars: new Map(),
      limit: undefined,
      forks: 50,
      startAtTask: undefined,
      forceHandlers: false,
      verbosity: 0,
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
    },
  });
}

try {
  writeFileSync(join(directory, 'etc-hosts'), '127.0.0.1 localhost\n');
  await run(1);
  remembers = true;
  const one = await run(1);
  const { ok = 0, changed = 0, failed = 0 } = one.hosts['h1'] ?? {};
  answering = 0;
  const before = process.cpuUsage();
  await run(HOSTS);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system - answering) / 1000;
  process.stdout.write(
    `${HOSTS} hosts × ${ok} tasks (${changed} changed, ${failed} failed): ` +
      `${(ms / HOSTS).toFixed(2)} ms of processor time a host; the answers took ${(answering / 1000 / HOSTS).toFixed(2)} ms\n`,
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}
