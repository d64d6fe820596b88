"""Writes what a run of Ansible does as lines that the engine's events can be compared with."""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: understudy_oracle
type: stdout
short_description: records for the conformance cases
description: See oracle.py.
"""

SPEAKING = ("debug", "fail", "assert")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "understudy_oracle"

    def __init__(self):
        super().__init__()
        self.out = open(os.environ["ORACLE_OUT"], "w", encoding="utf-8")

    def say(self, line):
        self.out.write(json.dumps({"line": line}) + "\n")
        self.out.flush()

    def v2_playbook_on_play_start(self, play):
        self.say(f"PLAY {play.get_name()}")

    def v2_playbook_on_task_start(self, task, is_conditional):
        if task.action.rsplit(".", 1)[-1] == "meta":
            return
        self.say(f"TASK {task.get_name()}")

    def v2_playbook_on_handler_task_start(self, task):
        self.say(f"HANDLER {task.get_name()}")

    def result(self, result, status, item=False):
        if result._task.action.rsplit(".", 1)[-1] == "meta":
            return
        data = result._result
        is_loop = bool(result._task.loop) and "results" in data and not item
        if is_loop and data["results"]:
            return
        shown = "(hidden)" if "censored" in data else self.text(data.get("_ansible_item_label", data.get("item")))
        label = f" [{shown}]" if item else ""
        self.say(f"  {result._host.get_name()}{label} {status}{self.message(result, status)}")

    @staticmethod
    def text(value):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def message(self, result, status):
        action = result._task.action.rsplit(".", 1)[-1]
        data = result._result
        if action == "fail" and status != "failed":
            return ""
        if action not in SPEAKING or "censored" in data or status == "skipped":
            return ""
        if data.get("_ansible_no_log"):
            return ""
        if action == "debug" and "msg" not in data:
            for key, value in data.items():
                if not key.startswith("_ansible") and key not in ("changed", "failed", "item", "ansible_loop_var", "failed_when_result"):
                    return f": {key} = {self.text(value) if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        if status == "failed" and action == "debug":
            return ""
        return f": {self.text(data['msg'])}" if "msg" in data else ""

    def v2_runner_on_ok(self, result):
        self.result(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result(result, "failed")

    def v2_runner_on_skipped(self, result):
        self.result(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self.result(result, "unreachable")

    def v2_runner_item_on_ok(self, result):
        self.result(result, "changed" if result._result.get("changed") else "ok", True)

    def v2_runner_item_on_failed(self, result):
        self.result(result, "failed", True)

    def v2_runner_item_on_skipped(self, result):
        self.result(result, "skipped", True)

    def v2_playbook_on_stats(self, stats):
        recap = {}
        for host in sorted(stats.processed):
            one = stats.summarize(host)
            recap[host] = {name: one["failures" if name == "failed" else name]
                           for name in ("ok", "changed", "skipped", "failed", "unreachable", "rescued", "ignored")}
        self.out.write(json.dumps({"recap": recap}) + "\n")
        self.out.close()
