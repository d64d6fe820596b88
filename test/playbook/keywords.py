#!/usr/bin/env python3
"""Writes the keywords of the installed ansible-core, and how each reaches what stands inside, to cases/keywords.json."""

import json
import pathlib

from ansible.playbook.block import Block
from ansible.playbook.handler import Handler
from ansible.playbook.handler_task_include import HandlerTaskInclude
from ansible.playbook.play import Play
from ansible.playbook.playbook_include import PlaybookInclude
from ansible.playbook.role.include import RoleInclude
from ansible.playbook.task import Task

LEVELS = {
    "play": Play, "role": RoleInclude, "block": Block, "task": Task, "handler": Handler,
    "import_playbook": PlaybookInclude,
}

keywords = {}
for level, kind in LEVELS.items():
    for name, attribute in kind.fattributes.items():
        extend = getattr(attribute, "extend", None)
        inherit = "none" if extend is None else "merged" if extend else "nearest"
        keyword = keywords.setdefault(name, {"on": [], "inherit": inherit})
        keyword["on"].append(level)
        if name in HandlerTaskInclude.VALID_INCLUDE_KEYWORDS:
            keyword["onInclude"] = True

lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(keywords[name])}" for name in sorted(keywords))
(pathlib.Path(__file__).parent / "cases" / "keywords.json").write_text("{\n" + lines + "\n}\n")
