import type { ProjectFile } from './lay-out.ts';

/** The text files that a project has of its own. `inventory` is the inventory's name. */
export function ownFiles(inventory: string): readonly ProjectFile[] {
  return [
    { path: 'README.md', content: readme(inventory) },
    { path: '.gitignore', content: GITIGNORE },
    {
      path: `inventory/${inventory}/.gitignore`,
      content:
        '# Passwords and keys are for no repository, and releases of the app are built.\n/secrets/\n/app/\n',
    },
  ];
}

const GITIGNORE = `# Passwords, keys and certificates are for no repository. Back them up elsewhere.
/inventory/*/secrets/
# Releases of the app are built, and large.
/inventory/*/app/
/inventory/lab/*
!/inventory/lab/group_vars/
/.vagrant/
.understudy/
.understudy.lock*
node_modules/
`;

function readme(inventory: string): string {
  const option = `-i inventory/${inventory}`;
  return `# The site

What these machines are is written here; \`provision\` makes it so, and \`failover\` moves the database's primary.

| path | what |
| --- | --- |
| \`inventory/${inventory}/hosts.yml\` | the machines and their addresses |
| \`inventory/${inventory}/group_vars/\` | settings of yours; every role lists its own in \`playbooks/roles/ROLE/defaults/main.yml\` |
| \`inventory/${inventory}/secrets/\` | passwords and keys, readable by you alone. Git ignores them: back them up |
| \`playbooks/site.yml\` | what \`provision up\` does, role by role |
| \`playbooks/upgrade.yml\`, \`reboot.yml\` | what \`provision upgrade\` and \`provision reboot\` do on each host, one after the other |
| \`files/\` | what the roles put on the hosts: the app, the failover's daemon, the database's schema |

\`\`\`sh
provision trust ${option}      # record the machines' SSH host keys
provision doctor ${option}     # what is in the way, and what to do about it
provision check ${option}      # what would change
provision up ${option}         # make it so; running it again changes nothing
failover status ${option}      # who is the primary, and what is wrong
\`\`\`

Installed in a project with npm, the programs are \`npx provision\` and \`npx failover\`. \`provision help\` and
\`provision help COMMAND\` explain everything. The same files run under Ansible: \`ansible-playbook ${option}
playbooks/site.yml\`.

To try it without machines: \`sudo provision lab up\` boots six hosts on a Linux machine, and \`provision up\` without \`-i\`
makes the site on them.

After an upgrade of the package, commit, remove \`playbooks/\` and \`files/\`, run \`provision init\` here again, and look at
what \`git diff\` shows: the new playbooks, beside the changes of yours that you may want back.
`;
}
