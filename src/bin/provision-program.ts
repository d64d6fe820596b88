import { Command } from 'commander';

import type { CommandContext } from '../commands/context.ts';
import { VERSION } from './package.ts';
import { addVerbs, type Verb } from './verbs.ts';

/** The commands of `provision`, in the order of its help. */
export const PROVISION_VERBS: readonly Verb[] = [
  {
    name: 'up',
    summary: 'make the hosts what the playbook says',
    usage: '[playbook]',
    load: async () => (await import('../commands/provision/up.ts')).upCommand,
  },
  {
    name: 'check',
    summary: 'show what would change, and change nothing',
    usage: '[playbook]',
    load: async () => (await import('../commands/provision/check.ts')).checkCommand,
  },
  {
    name: 'run',
    summary: 'run any playbook',
    usage: '<playbook>',
    load: async () => (await import('../commands/provision/run.ts')).runCommand,
  },
  {
    name: 'drain',
    summary: 'take a server out of service: new requests go elsewhere, running ones finish',
    usage: '[host]',
    load: async () => (await import('../commands/provision/drain.ts')).drainCommand,
  },
  {
    name: 'undrain',
    summary: 'put a server back into service, once it is healthy',
    usage: '<host>',
    load: async () => (await import('../commands/provision/undrain.ts')).undrainCommand,
  },
  {
    name: 'handover',
    summary: "move the site's addresses away from a balancer, without breaking a connection",
    usage: '[balancer]',
    load: async () => (await import('../commands/provision/handover.ts')).handoverCommand,
  },
  {
    name: 'dns',
    summary: "whether the site's names lead to it, and making them do so",
    load: async () => (await import('../commands/provision/dns.ts')).dnsCommand,
  },
  {
    name: 'limits',
    summary: 'show which clients the balancers limit now, and let one of them go',
    load: async () => (await import('../commands/provision/limits.ts')).limitsCommand,
  },
  {
    name: 'waf',
    summary: 'see what the filter for requests refused',
    load: async () => (await import('../commands/provision/waf.ts')).wafCommand,
  },
  {
    name: 'roll',
    summary: 'run a playbook on one host after the other, each out of service meanwhile',
    usage: '<playbook>',
    load: async () => (await import('../commands/provision/roll.ts')).rollCommand,
  },
  {
    name: 'upgrade',
    summary: 'upgrade packages on one host after the other, each out of service meanwhile',
    load: async () => (await import('../commands/provision/upgrade.ts')).upgradeCommand,
  },
  {
    name: 'reboot',
    summary: 'boot one host after the other again, each out of service meanwhile',
    load: async () => (await import('../commands/provision/reboot.ts')).rebootCommand,
  },
  {
    name: 'vault',
    summary: 'encrypt files and values as Ansible Vault does, and open them',
    load: async () => (await import('../commands/provision/vault.ts')).vaultCommand,
  },
  {
    name: 'rotate-secrets',
    summary: "give the site's accounts new passwords, without an interruption",
    usage: '[playbook]',
    load: async () => (await import('../commands/provision/rotate-secrets.ts')).rotateSecretsCommand,
  },
  {
    name: 'deploy',
    summary: 'put a release of the app onto the servers, one after the other, without a failed request',
    usage: '[what]',
    load: async () => (await import('../commands/provision/deploy.ts')).deployCommand,
  },
  {
    name: 'rollback',
    summary: 'put the previous release of the app back, also after a deploy that failed or was cut off',
    usage: '[release]',
    load: async () => (await import('../commands/provision/rollback.ts')).rollbackCommand,
  },
  {
    name: 'releases',
    summary: 'show the kept releases of the app, who deployed them, and which server serves which',
    load: async () => (await import('../commands/provision/releases.ts')).releasesCommand,
  },
  {
    name: 'page',
    summary: 'lead a port of this machine to the live page of the site, by SSH, until Ctrl-C',
    load: async () => (await import('../commands/provision/page.ts')).pageCommand,
  },
  {
    name: 'logs',
    summary: 'show what the hosts have logged, as one log in the order of time',
    usage: '[hosts...]',
    load: async () => (await import('../commands/provision/logs.ts')).logsCommand,
  },
  {
    name: 'open',
    summary: 'lead a port of this machine to a service of the monitoring, by SSH, until Ctrl-C',
    usage: '<service>',
    load: async () => (await import('../commands/provision/open.ts')).openCommand,
  },
  {
    name: 'certificates',
    summary: "show the site's certificate on every balancer, and what is wrong with it",
    load: async () => (await import('../commands/provision/certificates.ts')).certificatesCommand,
  },
  {
    name: 'history',
    summary: 'show the rolls of the hosts, the newest first; one of them in full',
    usage: '[id]',
    load: async () => (await import('../commands/provision/history.ts')).historyCommand,
  },
  {
    name: 'init',
    summary: 'lay out a project: inventory, playbooks, files and passwords',
    usage: '[directory]',
    load: async () => (await import('../commands/provision/init.ts')).initCommand,
  },
  {
    name: 'inventory',
    summary: 'show the hosts, groups and variables of an inventory',
    load: async () => (await import('../commands/provision/inventory.ts')).inventoryCommand,
  },
  {
    name: 'doctor',
    summary: 'say whether every host can be reached and managed',
    load: async () => (await import('../commands/provision/doctor.ts')).doctorCommand,
  },
  {
    name: 'trust',
    summary: 'show the SSH host keys of hosts, and record them in known_hosts',
    usage: '[hosts...]',
    load: async () => (await import('../commands/provision/trust.ts')).trustCommand,
  },
  {
    name: 'lab',
    summary: 'real test hosts on this machine',
    load: async () => (await import('../commands/provision/lab.ts')).labCommand,
  },
];

/** The command line of `provision`, complete for the verb that the arguments name. */
export async function provisionProgram(argv: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command('provision')
    .description('Makes a few hosts, or a few hundred, what Ansible-compatible playbooks say, over SSH.')
    .version(VERSION, '-V, --version')
    .addHelpText(
      'after',
      `
Examples:
  provision init site                        inventory and playbooks for machines of your own
  provision lab up                           six hosts to try everything on
  provision check -i inventory/lab --diff    what would change
  provision up -i inventory/lab              make it so
  provision help up                          all options of a command

Exit codes: 0 done, 1 usage or load error, 2 a host failed, 3 drift found (check),
4 a host was unreachable, 130 interrupted.`,
    );
  await addVerbs(program, PROVISION_VERBS, argv, context);
  return program;
}
