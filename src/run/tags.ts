import type { Task } from '../playbook/ast.ts';
import type { RunSettings } from './world.ts';

/** Whether `--tags` and `--skip-tags` leave a task in (Ansible's special tags: always, never, all, tagged, untagged). */
export function isSelected(
  task: Pick<Task, 'tags'>,
  settings: Pick<RunSettings, 'tags' | 'skipTags'>,
): boolean {
  const { tags } = task;
  const matches = (wanted: readonly string[]): boolean =>
    wanted.some(
      (tag) =>
        tags.includes(tag) ||
        tag === 'all' ||
        (tag === 'tagged' && tags.some((own) => own !== 'never')) ||
        (tag === 'untagged' && tags.length === 0),
    );
  const wanted = settings.tags.length === 0 ? ['all'] : settings.tags;
  const named = wanted.some((tag) => tags.includes(tag));
  if (tags.includes('never') && !named) return false;
  if (!matches(wanted) && !tags.includes('always')) return false;
  if (settings.skipTags.includes('always') && tags.includes('always')) return false;
  return (
    !matches(settings.skipTags.filter((tag) => tag !== 'all')) &&
    !(settings.skipTags.includes('all') && !tags.includes('always'))
  );
}
