import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parse } from 'yaml';

const role = fileURLToPath(new URL('../../playbooks/roles/mysql/', import.meta.url));
const templates = readdirSync(join(role, 'templates'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.j2'))
  .map((file) => ({ file, text: readFileSync(join(role, 'templates', file), 'utf8') }));

interface Task {
  readonly name: string;
  readonly no_log?: unknown;
  readonly 'ansible.builtin.command'?: { readonly argv: unknown; readonly stdin?: string };
}

const tasks = readdirSync(join(role, 'tasks')).flatMap(
  (file) => (parse(readFileSync(join(role, 'tasks', file), 'utf8')) ?? []) as readonly Task[],
);

/** The templates that carry a password, themselves or by what they include. */
function secretTemplates(): ReadonlySet<string> {
  const secret = new Set(
    templates.filter((each) => /mysql_\w+_password/.test(each.text)).map((each) => each.file),
  );
  for (let before = -1; before !== secret.size;) {
    before = secret.size;
    for (const { file, text } of templates) {
      for (const [, included = ''] of text.matchAll(/\{% include (.+?) %\}/g)) {
        const path = included.replaceAll(/[' ~]|mysql_flavour/g, '');
        if ([...secret].some((each) => each === path || each.endsWith(path))) secret.add(file);
      }
    }
  }
  return secret;
}

test('a command that carries a password takes it on standard input, and hides what it says', (t) => {
  const secret = secretTemplates();
  t.true(
    secret.has('mysql/found.sh.j2') && secret.has('mariadb/replicate.sh.j2') && secret.has('apply.sh.j2'),
  );
  t.false(secret.has('state.sh.j2'));
  let found = 0;
  for (const task of tasks) {
    const command = task['ansible.builtin.command'];
    if (!command) continue;
    t.notRegex(JSON.stringify(command.argv), /password/);
    const [, template] = /'([^']+\.sh\.j2)'\)/.exec(command.stdin ?? '') ?? [];
    if (template === undefined || ![...secret].some((file) => file.endsWith(template.replace(/^\//, ''))))
      continue;
    found++;
    t.is(task.no_log, '{{ not mysql_show_errors }}', task.name);
  }
  t.is(found, 6);
});

test('a template goes on with an empty line after each include, whose own last line break Jinja removes', (t) => {
  for (const { file, text } of templates) t.notRegex(text, /\{% include [^\n]*%\}\n(?!\n)/, file);
});

test('every start is read-only, and nothing in the option files says which instance is the primary', (t) => {
  for (const flavour of ['mysql', 'mariadb']) {
    const text = readFileSync(join(role, 'templates', flavour, 'option.cnf.j2'), 'utf8');
    t.regex(text, /^read_only = ON$/m);
    t.notRegex(text, /semi_sync_(source|master)_enabled|primary =/);
  }
  const settings = parse(readFileSync(join(role, 'vars/main.yml'), 'utf8')) as Record<string, object>;
  for (const dialect of ['mysql_settings_mysql', 'mysql_settings_mariadb']) {
    const names = Object.keys(settings[dialect] ?? {});
    t.true(names.includes('sync_binlog'));
    t.deepEqual(
      names.filter((name) => /read_only|semi_sync_(source|master)_enabled/.test(name)),
      [],
    );
  }
});
