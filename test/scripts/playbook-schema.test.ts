import test from 'ava';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

import { playbookSchema } from '../../scripts/playbook-schema.ts';

const ROOT = join(import.meta.dirname, '../..');
const schema = playbookSchema();
const playbook = z.fromJSONSchema(schema);
const tasks = z.fromJSONSchema({ $defs: schema['$defs'], $ref: '#/$defs/tasks' } as never);

const yaml = (file: string): unknown => parse(readFileSync(join(ROOT, file), 'utf8'));

for (const file of globSync('playbooks/*.yml', { cwd: ROOT })) {
  test(`${file} keeps to the schema`, (t) => {
    const { error } = playbook.safeParse(yaml(file));
    t.is(error, undefined, error && z.prettifyError(error));
  });
}

for (const file of globSync('playbooks/roles/*/{tasks,handlers}/*.yml', { cwd: ROOT })) {
  // A handler may have more keywords, and its file is a list of them alone.
  if (file.includes('/handlers/')) continue;
  test(`${file} keeps to the schema`, (t) => {
    const { error } = tasks.safeParse(yaml(file) ?? []);
    t.is(error, undefined, error && z.prettifyError(error));
  });
}

const play = (task: object): unknown => [{ hosts: 'all', tasks: [task] }];

const MISTAKES: readonly (readonly [string, unknown])[] = [
  ['a play without hosts', [{ tasks: [] }]],
  ['a keyword that is mistyped', play({ ping: null, whem: 'x' })],
  ['an argument that a module does not have', play({ copy: { src: 'a', dest: '/b', mood: '0644' } })],
  ['an argument that is not supported', play({ copy: { src: 'a', dest: '/b', attributes: '+i' } })],
  ['a word that is not among the choices', play({ file: { path: '/a', state: 'here' } })],
  ['a switch that is neither yes nor no', play({ ping: null, become: 'maybe' })],
];

for (const [name, value] of MISTAKES) {
  test(`the schema refuses ${name}`, (t) => {
    t.false(playbook.safeParse(value).success);
  });
}

const FINE: readonly (readonly [string, unknown])[] = [
  ['templates anywhere', play({ file: { path: '/a', state: '{{ state }}', recurse: '{{ deep }}' } })],
  ['aliases', play({ file: { dest: '/a', state: 'touch' } })],
  ['free text', play({ shell: 'echo a | wc', args: { chdir: '/' } })],
  ['loops of the old kind', play({ ping: null, with_items: [1] })],
  ['an import', [{ 'ansible.builtin.import_playbook': 'other.yml' }]],
];

for (const [name, value] of FINE) {
  test(`the schema takes ${name}`, (t) => {
    const { error } = playbook.safeParse(value);
    t.is(error, undefined, error && z.prettifyError(error));
  });
}
