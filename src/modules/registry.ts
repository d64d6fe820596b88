import { apt } from './apt.ts';
import { aptKey } from './apt_key.ts';
import { aptRepository } from './apt_repository.ts';
import { assemble } from './assemble.ts';
import { authorizedKey } from './authorized_key.ts';
import { blockinfile } from './blockinfile.ts';
import { command } from './command.ts';
import { copy } from './copy.ts';
import { cron } from './cron.ts';
import { deb822Repository } from './deb822_repository.ts';
import { fetch } from './fetch.ts';
import { file } from './file.ts';
import { find } from './find.ts';
import { getUrl } from './get_url.ts';
import { getent } from './getent.ts';
import { group } from './group.ts';
import { hostname } from './hostname.ts';
import { iniFile } from './ini_file.ts';
import { knownHosts } from './known_hosts.ts';
import { lineinfile } from './lineinfile.ts';
import type { AnyModule } from './module.ts';
import { packageModule } from './package.ts';
import { packageFacts } from './package_facts.ts';
import { pause } from './pause.ts';
import { ping } from './ping.ts';
import { raw } from './raw.ts';
import { reboot } from './reboot.ts';
import { replace } from './replace.ts';
import { script } from './script.ts';
import { service } from './service.ts';
import { serviceFacts } from './service_facts.ts';
import { setup } from './setup.ts';
import { shell } from './shell.ts';
import { slurp } from './slurp.ts';
import { stat } from './stat.ts';
import { sysctl } from './sysctl.ts';
import { systemdService } from './systemd_service.ts';
import { tempfile } from './tempfile.ts';
import { template } from './template.ts';
import { timezone } from './timezone.ts';
import { ufw } from './ufw.ts';
import { unarchive } from './unarchive.ts';
import { uri } from './uri.ts';
import { user } from './user.ts';
import { waitFor } from './wait_for.ts';
import { waitForConnection } from './wait_for_connection.ts';

/** Every module by its full name. What is not here is not supported. */
export const registry: Readonly<Record<string, AnyModule>> = {
  'ansible.builtin.apt': apt,
  'ansible.builtin.apt_key': aptKey,
  'ansible.builtin.apt_repository': aptRepository,
  'ansible.builtin.assemble': assemble,
  'ansible.builtin.blockinfile': blockinfile,
  'ansible.builtin.command': command,
  'ansible.builtin.copy': copy,
  'ansible.builtin.cron': cron,
  'ansible.builtin.deb822_repository': deb822Repository,
  'ansible.builtin.fetch': fetch,
  'ansible.builtin.file': file,
  'ansible.builtin.find': find,
  'ansible.builtin.get_url': getUrl,
  'ansible.builtin.getent': getent,
  'ansible.builtin.group': group,
  'ansible.builtin.hostname': hostname,
  'ansible.builtin.known_hosts': knownHosts,
  'ansible.builtin.lineinfile': lineinfile,
  'ansible.builtin.package': packageModule,
  'ansible.builtin.package_facts': packageFacts,
  'ansible.builtin.pause': pause,
  'ansible.builtin.ping': ping,
  'ansible.builtin.raw': raw,
  'ansible.builtin.reboot': reboot,
  'ansible.builtin.replace': replace,
  'ansible.builtin.script': script,
  'ansible.builtin.service': service,
  'ansible.builtin.service_facts': serviceFacts,
  'ansible.builtin.setup': setup,
  'ansible.builtin.shell': shell,
  'ansible.builtin.slurp': slurp,
  'ansible.builtin.stat': stat,
  'ansible.builtin.systemd_service': systemdService,
  'ansible.builtin.tempfile': tempfile,
  'ansible.builtin.template': template,
  'ansible.builtin.unarchive': unarchive,
  'ansible.builtin.uri': uri,
  'ansible.builtin.user': user,
  'ansible.builtin.wait_for': waitFor,
  'ansible.builtin.wait_for_connection': waitForConnection,
  'ansible.posix.authorized_key': authorizedKey,
  'ansible.posix.sysctl': sysctl,
  'community.general.ini_file': iniFile,
  'community.general.timezone': timezone,
  'community.general.ufw': ufw,
};
