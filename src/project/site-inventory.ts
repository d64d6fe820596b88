import { parseDocument } from 'yaml';

import type { SiteAnswers } from './site-answers.ts';

/**
 * The hosts.yml of a site: the example's text, with the given machines in place of its own. What the example says of a
 * variable stays beside it.
 */
export function siteInventory(example: string, answers: SiteAnswers): string {
  const document = parseDocument(example);
  const set = (path: readonly string[], value: unknown): void =>
    document.setIn(['all', ...path], document.createNode(value, { flow: Array.isArray(value) }));
  const [operator, ...others] = answers.operator;
  const variables = {
    ansible_user: answers.user,
    vip: answers.vip,
    operator_address: others.length === 0 ? operator : answers.operator,
    front_network: answers.frontNetwork,
    back_network: answers.backNetwork,
  };
  for (const [name, value] of Object.entries(variables)) set(['vars', name], value);
  if (answers.vip2 === undefined) document.deleteIn(['all', 'vars', 'vip2']);
  else set(['vars', 'vip2'], answers.vip2);

  const balancers = ['children', 'balancers'];
  set([...balancers, 'vars', 'front_interface'], answers.frontInterface);
  set([...balancers, 'vars', 'back_interface'], answers.backInterface);
  set(
    [...balancers, 'hosts'],
    Object.fromEntries(
      answers.balancers.map(({ name, front, back }) => [
        name,
        { ansible_host: front, front_address: front, back_address: back },
      ]),
    ),
  );

  const servers = ['children', 'servers'];
  const [jump] = answers.balancers;
  set([...servers, 'vars', 'back_interface'], answers.serverInterface);
  set(
    [...servers, 'vars', 'understudy_jumps'],
    answers.balancers.map(({ name }) => name),
  );
  set([...servers, 'vars', 'ansible_ssh_common_args'], `-o ProxyJump=${answers.user}@${jump?.front}`);
  set(
    [...servers, 'hosts'],
    Object.fromEntries(
      answers.servers.map(({ name, back }, index) => [
        name,
        { ansible_host: back, back_address: back, mysql_instance: `db${index + 1}` },
      ]),
    ),
  );
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
