#!/usr/bin/env python3
"""Writes into cases/yaml-indent.json what PyYAML reads, null where it refuses the text."""

import json
import pathlib

import yaml

FILE = pathlib.Path(__file__).parent / "cases" / "yaml-indent.json"


def read(text):
    try:
        return {"value": yaml.safe_load(text)}
    except yaml.YAMLError:
        return None


cases = [[text, read(text)] for text, _ in json.loads(FILE.read_text())]
FILE.write_text("[\n" + ",\n".join("  " + json.dumps(case) for case in cases) + "\n]\n")
