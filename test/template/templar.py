#!/usr/bin/env python3
"""Writes into templar.json what the template engine of ansible-core 2.19 itself makes of the templates there.

  templar.py [--verify]   says which answers differ from those of the file
  templar.py --update     writes them

The other cases are worked out with Jinja2 and Ansible's filters (oracle.py). Here is what only the whole engine does:
errors that do not matter until a value is used, blocks, and other templates. Files of `includes` lie beside the playbook.
"""

import json
import pathlib
import sys
import tempfile

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.display import Display

FILE = pathlib.Path(__file__).parent / "templar.json"
Display.warning = Display.deprecated = lambda *_, **__: None


def answer(one, shared):
    with tempfile.TemporaryDirectory() as name:
        for file, text in one.get("includes", {}).items():
            (pathlib.Path(name) / file).write_text(text)
        loader = DataLoader()
        loader.set_basedir(name)
        try:
            return {"expect": Templar(loader, variables=shared).template(trust_as_template(one["template"]))}
        except Exception:
            return {"error": True}


def main():
    init_plugin_loader()
    cases = json.loads(FILE.read_text())
    found = [
        {key: value for key, value in one.items() if key not in ("expect", "error")} | answer(one, cases["variables"])
        for one in cases["cases"]
    ]
    different = [new for old, new in zip(cases["cases"], found) if old != new]
    if "--update" in sys.argv:
        lines = ",\n".join("    " + json.dumps(one, ensure_ascii=False) for one in found)
        variables = json.dumps(cases["variables"], ensure_ascii=False)
        FILE.write_text(f'{{\n  "variables": {variables},\n  "cases": [\n{lines}\n  ]\n}}\n')
    else:
        for one in different:
            print(json.dumps(one))
    print(f"{len(found)} cases, {len(different)} differ")
    sys.exit(1 if different and "--update" not in sys.argv else 0)


main()
