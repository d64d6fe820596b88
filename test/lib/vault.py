#!/usr/bin/env python3
"""Writes into cases/vault.json what ansible-core's own vault makes of the texts there, with a fixed salt."""

import json
import pathlib

from ansible.parsing.vault import VaultLib, VaultSecret

FILE = pathlib.Path(__file__).parent / "cases" / "vault.json"
TEXTS = ["", "a", "exactly sixteen.", "db_password: hunter2\nother: é ☃\n", "x" * 1000]
SALT = b"\x01\xff" * 16

cases = []
for text in TEXTS:
    for vault_id in (None, "prod"):
        secret = VaultSecret("pass word é".encode())
        vault = VaultLib([(vault_id or "default", secret)])
        sealed = vault.encrypt(text.encode(), secret, vault_id=vault_id, salt=SALT).decode()
        cases.append({"text": text, "id": vault_id or "default", "sealed": sealed})
FILE.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
