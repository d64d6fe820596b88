import { aptLists } from '../facts/apt-lists.ts';
import { aptSimulation, type SimulationFact } from '../facts/apt-simulation.ts';
import { debFile } from '../facts/deb-file.ts';
import { query, type FactQuery, type FactReader } from '../facts/fact.ts';
import type { Diff, Outcome, Plan, PlanContext, Result } from '../steps/plan.ts';
import type { Step, StepOutput } from '../steps/step.ts';
import { aptAliases, aptArgs, type AptArgs } from './parts/apt-arguments.ts';
import { packageFacts, planPackages, type PackageWork } from './parts/apt-packages.ts';
import { aptGet, aptScript, updateScript, type AptOptions } from './parts/apt-scripts.ts';
import { defineModule } from './kit/define.ts';
import { outputText } from './kit/outputs.ts';

/** Packages of Debian and its relatives. */
export const apt = defineModule({
  name: 'ansible.builtin.apt',
  summary: 'Installs, upgrades and removes packages with apt.',
  example: `
- name: Install Nginx, newer lists than a day permitting
  ansible.builtin.apt:
    name: nginx
    update_cache: true
    cache_valid_time: 86400
`,
  args: aptArgs,
  aliases: aptAliases,
  paths: ['deb'],
  facts(raw) {
    const given = withForce(raw);
    const upgrade = upgradeWords(given);
    const queries: FactQuery[] = [...packageFacts(given)];
    if (given.update_cache || given.cache_valid_time > 0) queries.push(query(aptLists, 'lists'));
    if (upgrade) queries.push(query(aptSimulation, upgrade));
    if (given.deb !== undefined) queries.push(query(debFile, given.deb));
    if (removesAlone(given)) queries.push(query(aptSimulation, autoremoveWords(given)));
    return queries;
  },
  plan: planApt,
});

/** The plan of a call of apt: lists first, then packages, then what is left over. */
export function planApt(raw: AptArgs, facts: FactReader, context: PlanContext): Plan {
  const given = withForce(raw);
  const update = isUpdateDue(given, facts);
  const work = allWork(given, facts, update && !context.checkMode);
  if ('need' in work) return { kind: 'need', facts: work.need };
  if ('failed' in work) return { kind: 'failed', message: work.failed };
  const lists =
    given.update_cache || given.cache_valid_time > 0 ? facts.get(query(aptLists, 'lists')) : undefined;
  const result: Result = { cache_updated: false, cache_update_time: lists?.updatedAt ?? 0 };
  const hasWork = work.steps.length > 0;
  // In check mode the lists stay as they are; that alone is a change only when nothing else was asked for.
  const updateAlone = update && !asksForPackages(given);
  // What apt-get would have said is returned where there was nothing for it to do, too.
  const foretold = spoken(work.said ?? '', '');
  if (!hasWork && (!update || (context.checkMode && !updateAlone)))
    return { kind: 'unchanged', result: { ...result, ...(work.said === undefined ? {} : foretold) } };
  const updateSteps: Step[] = update
    ? [
        {
          kind: 'script',
          speaks: 'apt',
          description: 'fetch the package lists',
          script: updateScript(
            given.lock_timeout,
            given.update_cache_retries,
            given.update_cache_retry_max_delay,
          ),
        },
      ]
    : [];
  return {
    kind: 'change',
    diffs: updateAlone
      ? [...work.diffs, { subject: 'package lists', before: '', after: 'fetched again\n' }]
      : work.diffs,
    steps: [...updateSteps, ...work.steps],
    result: { ...result, ...(context.checkMode && work.said !== undefined ? foretold : {}) },
    finish: (outputs) => finish(outputs, updateSteps.length, result, work, updateAlone),
  };
}

/** apt-get's `--force-yes` is gone; these are what it stood for. */
function withForce(given: AptArgs): AptArgs {
  return given.force ? { ...given, allow_unauthenticated: true, allow_downgrade: true } : given;
}

function isUpdateDue(given: AptArgs, facts: FactReader): boolean {
  if (!given.update_cache && given.cache_valid_time === 0) return false;
  const { updatedAt, now } = facts.get(query(aptLists, 'lists'));
  return updatedAt + given.cache_valid_time < now;
}

/** Upgrades and clean-ups do not need a package's name. */
function asksForPackages(given: AptArgs): boolean {
  return (given.name ?? given.deb) !== undefined || given.upgrade !== 'no' || given.state === 'fixed';
}

function removesAlone(given: AptArgs): boolean {
  return (
    given.autoremove && (given.name?.length ?? 0) === 0 && given.deb === undefined && given.upgrade === 'no'
  );
}

function autoremoveWords(given: AptArgs): readonly string[] {
  return given.purge ? ['autoremove', '--purge'] : ['autoremove'];
}

/** How apt-get is called to upgrade everything; undefined when that is not asked for. */
function upgradeWords(given: AptArgs): readonly string[] | undefined {
  const isAll = given.name?.includes('*') === true;
  if (given.upgrade === 'no' && !isAll) return undefined;
  return [
    ...(given.default_release === undefined ? [] : ['-t', given.default_release]),
    ...(given.autoremove ? ['--auto-remove'] : []),
    ...(given.fail_on_autoremove ? ['--no-remove'] : []),
    ...(given.allow_unauthenticated ? ['--allow-unauthenticated'] : []),
    ...(given.allow_downgrade ? ['--allow-downgrades'] : []),
    ...(given.upgrade === 'dist' || given.upgrade === 'full'
      ? ['dist-upgrade']
      : ['upgrade', '--with-new-pkgs']),
  ];
}

type Work = PackageWork | { readonly need: readonly FactQuery[] } | { readonly failed: string };

function allWork(given: AptArgs, facts: FactReader, listsChange: boolean): Work {
  const options = optionsOf(given);
  const parts: Work[] = [planPackages(given, options, facts, listsChange)];
  const upgrade = upgradeWords(given);
  if (upgrade) parts.push(simulated('upgrade packages', upgrade, options, facts, listsChange));
  if (given.deb !== undefined) parts.push(debWork(given, given.deb, options, facts));
  if (removesAlone(given)) {
    parts.push(
      simulated('remove packages that nothing needs', autoremoveWords(given), options, facts, false),
    );
  }
  if (given.clean) parts.push(cleanWork('clean', options));
  if (given.autoclean && !given.name) parts.push(cleanWork('autoclean', options));
  if (given.state === 'fixed' && !given.name) {
    parts.push(simulated('fix broken packages', ['--fix-broken', 'install'], options, facts, false));
  }
  return joinWork(parts);
}

function joinWork(parts: readonly Work[]): Work {
  const diffs: Diff[] = [];
  const steps: Step[] = [];
  let certain = true;
  let said: string | undefined;
  for (const part of parts) {
    if ('need' in part || 'failed' in part) return part;
    diffs.push(...part.diffs);
    steps.push(...part.steps);
    certain &&= part.certain;
    if (part.said !== undefined) said = (said ?? '') + part.said;
  }
  return { diffs, steps, certain, said };
}

/** What is common to all calls of apt-get for these arguments. */
export function optionsOf(given: AptArgs): AptOptions {
  return {
    dpkgOptions: given.dpkg_options.split(',').map((option) => option.trim().replace(/^--/, '')),
    lockTimeout: given.lock_timeout,
    policyRcD: given.policy_rc_d,
  };
}

function simulated(
  description: string,
  words: readonly string[],
  options: AptOptions,
  facts: FactReader,
  listsChange: boolean,
): Work {
  const needed = query(aptSimulation, words);
  if (!facts.has(needed)) return { need: [needed] };
  const simulation = facts.get(needed);
  const diffs = simulationDiffs(simulation);
  const said = listsChange ? undefined : simulation.said;
  // New lists may bring new versions, so only apt-get itself will tell.
  if (diffs.length === 0 && !listsChange) return { diffs: [], steps: [], certain: true, said };
  return {
    diffs,
    said,
    steps: [
      { kind: 'script', speaks: 'apt', description, script: aptScript(options, [aptGet(options, ...words)]) },
    ],
    certain: !listsChange,
  };
}

function simulationDiffs(simulation: SimulationFact): Diff[] {
  return [
    ...simulation.installs.map(({ name, from, to }) => ({
      subject: `package ${name}`,
      before: from === undefined ? '' : `${name} ${from}\n`,
      after: `${name} ${to}\n`,
    })),
    ...simulation.removes.map(({ name, version }) => ({
      subject: `package ${name}`,
      before: `${name} ${version}`.trimEnd() + '\n',
      after: '',
    })),
  ];
}

function debWork(given: AptArgs, path: string, options: AptOptions, facts: FactReader): Work {
  const deb = facts.get(query(debFile, path));
  if (!deb) return { failed: `${path} is no Debian package, or is not there` };
  if (deb.state === 'same' || (deb.state === 'older' && !given.allow_downgrade)) {
    return { diffs: [], steps: [], certain: true };
  }
  const words = [
    'install',
    ...(given.install_recommends === undefined
      ? []
      : [`-oAPT::Install-Recommends=${given.install_recommends}`]),
    ...(given.allow_downgrade ? ['--allow-downgrades'] : []),
    ...(given.allow_unauthenticated ? ['--allow-unauthenticated'] : []),
    '--',
    path.startsWith('/') ? path : `./${path}`,
  ];
  return {
    diffs: [{ subject: `package ${deb.name}`, before: '', after: `${deb.name} ${deb.version}\n` }],
    steps: [
      {
        kind: 'script',
        speaks: 'apt',
        description: `install ${path}`,
        script: aptScript(options, [aptGet(options, ...words)]),
      },
    ],
    certain: true,
  };
}

function cleanWork(verb: 'clean' | 'autoclean', options: AptOptions): Work {
  return {
    diffs: [],
    steps: [
      {
        kind: 'script',
        speaks: 'apt',
        description: `apt-get ${verb}`,
        script: aptScript(options, [aptGet(options, verb)]),
      },
    ],
    certain: false,
  };
}

function finish(
  outputs: readonly StepOutput[],
  updates: number,
  result: Result,
  work: PackageWork,
  updateAlone: boolean,
): Outcome {
  const [before, after] = updates > 0 ? outputText(outputs[0]).trim().split(/\s+/).slice(-2).map(Number) : [];
  const cache =
    updates > 0
      ? { cache_updated: before !== after, cache_update_time: after ?? 0 }
      : { cache_updated: false };
  const stdout = outputs.slice(updates).map(outputText).join('');
  const stderr = outputs
    .slice(updates)
    .map((output) => (output.kind === 'exit' ? output.stderr.toString('utf8') : ''))
    .join('');
  const changed =
    work.steps.length === 0 ? updateAlone && before !== after : work.certain || aptChanged(stdout);
  return {
    status: 'ok',
    changed,
    result: {
      ...result,
      ...cache,
      ...(work.steps.length > 0
        ? spoken(stdout, stderr)
        : work.said === undefined
          ? {}
          : spoken(work.said, '')),
    },
  };
}

/** What apt-get said, as Ansible returns it. */
function spoken(stdout: string, stderr: string): Result {
  return {
    stdout,
    stdout_lines: stdout.split('\n').filter((line) => line !== ''),
    stderr,
    stderr_lines: stderr.split('\n').filter((line) => line !== ''),
  };
}

/** Whether apt-get did something, by its own summary. */
function aptChanged(stdout: string): boolean {
  const summary =
    /(\d+) upgraded, (\d+) newly installed, (?:(\d+) reinstalled, )?(?:(\d+) downgraded, )?(\d+) to remove/.exec(
      stdout,
    );
  if (summary) return summary.slice(1).some((number) => Number(number ?? 0) > 0);
  return /^Del /m.test(stdout);
}
