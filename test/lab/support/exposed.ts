import type { TestLab } from './site.ts';

/** The files of a host that anybody may read and that hold one of the secrets, and lines of its journal; nothing: there are none. */
export async function exposed(lab: TestLab, host: string, secrets: readonly string[]): Promise<string> {
  const wanted = secrets.map((secret) => `'${secret}'`).join(' ');
  return await lab.sh(
    host,
    `printf '%s\\n' ${wanted} > /root/wanted; find /etc /var/lib /var/log /run /tmp /usr/local -xdev -type f -perm -o=r -exec grep -lFf /root/wanted {} + || :; journalctl --no-pager | grep -Ff /root/wanted || :; rm /root/wanted`,
  );
}
