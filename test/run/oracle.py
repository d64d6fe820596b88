#!/usr/bin/env python3
"""Runs the playbooks of cases/*.yml with the real ansible-playbook and keeps what it did in cases/*.json.

  oracle.py [--verify] [FILE…]     says which records differ from what Ansible does now
  oracle.py --update [FILE…]       writes the records
  oracle.py --update --only=TEXT   those of cases whose name holds the text; --only=new: those that have none

ansible-playbook must be of ansible-core 2.19; name another than the one on the PATH with ANSIBLE_PLAYBOOK.
A case is {name, playbook, files?, inventory?, options?, steps?}; see run-cases.ts, which runs the same in our engine.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import yaml

HERE = pathlib.Path(__file__).parent
COMMAND = os.environ.get("ANSIBLE_PLAYBOOK", "ansible-playbook")
DEFAULT_INVENTORY = yaml.safe_load((HERE / "cases" / "inventory.yaml").read_text())["text"]


def lay_out(case, directory):
    files = {"playbook.yml": case["playbook"], "inventory.ini": case.get("inventory", DEFAULT_INVENTORY)}
    for name, content in {**files, **case.get("files", {})}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def run_once(case, options, directory):
    out = directory / "oracle.jsonl"
    out.unlink(missing_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "ORACLE_OUT": str(out),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "oracle-callback"),
        "ANSIBLE_STDOUT_CALLBACK": "understudy_oracle",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "CASE_DIRECTORY": str(directory),
    }
    done = subprocess.run(
        [COMMAND, "-i", "inventory.ini", "playbook.yml", *options],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=120,
    )
    events = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    if not events or "recap" not in events[-1]:
        print(f"{case['name']}: nothing ran: {done.stderr.strip()[:400]}", file=sys.stderr)
        return {"error": True}
    status = 4 if done.returncode & 4 else 2 if done.returncode & 10 else done.returncode
    trace = [event["line"].replace(str(directory), "DIR") for event in events[:-1]]
    return {"exit": status, "recap": events[-1]["recap"], "trace": in_host_order(trace)}


def in_host_order(trace):
    """Hosts answer in any order; a task's lines are sorted by host, and keep their order within one."""
    result, block = [], []
    for line in [*trace, None]:
        if line is not None and line.startswith("  "):
            block.append(line)
            continue
        result += sorted(block, key=lambda one: one.split()[0])
        block = []
        if line is not None:
            result.append(line)
    return result


def run_case(case):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        lay_out(case, directory)
        return [run_once(case, step, directory) for step in case.get("steps", [case.get("options", [])])]


def main():
    arguments = sys.argv[1:]
    update = "--update" in arguments
    only = next((argument[7:] for argument in arguments if argument.startswith("--only=")), "")
    wanted = [argument for argument in arguments if not argument.startswith("--")]
    files = [pathlib.Path(name) for name in wanted] or sorted((HERE / "cases").glob("*.yml"))
    different = 0
    for file in files:
        cases = yaml.safe_load(file.read_text())
        record = file.with_suffix(".json")
        known = json.loads(record.read_text()) if record.exists() else {}
        chosen = [case for case in cases if (case["name"] not in known if only == "new" else only in case["name"])]
        with ThreadPoolExecutor(3) as pool:
            found = dict(zip([case["name"] for case in chosen], pool.map(run_case, chosen)))
        for name, runs in found.items():
            if known.get(name) != runs:
                different += 1
                if not update:
                    print(f"{file.name}: {name}:\n  recorded {json.dumps(known.get(name))}\n  found    {json.dumps(runs)}")
        if update:
            kept = {case["name"]: found.get(case["name"], known.get(case["name"])) for case in cases}
            record.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    print(f"{different} {'changed' if update else 'different'}")
    sys.exit(1 if different and not update else 0)


main()
