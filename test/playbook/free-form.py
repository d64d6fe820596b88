#!/usr/bin/env python3
"""Works out with ansible-core's own parser how the tasks in cases/free-form.json are taken apart.

  free-form.py --verify   says which expectations differ from Ansible's answer
  free-form.py --update   writes Ansible's answers into the file

A case is {task, expect | error}: `expect` has the action, its arguments and where it is delegated to. Words that an
action has no use for are refused by Ansible when the task runs, which counts as an error here. "differs" says why we
do something else on purpose.
"""

import json
import pathlib
import sys

from ansible.errors import AnsibleError
from ansible.parsing.mod_args import ModuleArgsParser, RAW_PARAM_MODULES
from ansible._internal._templating._jinja_bits import is_possibly_all_template
from ansible.utils.sentinel import Sentinel

CASES = pathlib.Path(__file__).parent / "cases" / "free-form.json"


def answer(task):
    try:
        action, args, delegate_to = ModuleArgsParser(dict(task)).parse(skip_action_validation=True)
    except (AnsibleError, UnicodeDecodeError):
        return {"error": True}
    text = args.get("_raw_params")
    if text and action not in RAW_PARAM_MODULES and not is_possibly_all_template(text):
        return {"error": True}
    found = {"action": str(action), "args": json.loads(json.dumps(args))}
    if delegate_to is not Sentinel:
        found["delegate_to"] = delegate_to
    return {"expect": found}


def main():
    update = "--update" in sys.argv
    cases = json.loads(CASES.read_text())
    wrong = 0
    for case in cases:
        found = answer(case["task"])
        known = {key: case[key] for key in ("expect", "error") if key in case}
        if found == known:
            continue
        wrong += 1
        if update:
            for key in known:
                del case[key]
            case.update(found)
        else:
            print(f"{case['task']!r}: {known} in the file, {found} by Ansible")
    if update:
        lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
        CASES.write_text(f"[\n{lines}\n]\n")
    print(f"{len(cases)} cases, {wrong} {'changed' if update else 'differ'}")
    return 1 if wrong and not update else 0


if __name__ == "__main__":
    sys.exit(main())
