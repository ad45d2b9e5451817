# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile server repeats the secrets of a task where its words are cut: no part of one is shown.

No server here does that, so these are handwritten.
"""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.vaultops.vault.plugins.module_utils._text import LONGEST
from ansible_collections.vaultops.vault.tests.support.handwritten import Answer, handwritten_server
from ansible_collections.vaultops.vault.tests.support.recordings import run_task

# Its first half stands before the cut: words are not cut, but a secret may have spaces.
FIRST = "canary-5f2c9e"
PLAIN = f"{FIRST} and-the-rest"
# Servers quote what they repeat.
QUOTED = f'{FIRST} "and\nthe rest\\'
SECRETS = {"plain": PLAIN, "quoted": QUOTED}

REGISTER = {
    "name": "ext",
    "type": "secret",
    "version": "v1.0.0",
    "sha256": "0" * 64,
}
RELOAD = {"mounts": ["ext"]}
# The options of a task around a secret, by where the secret is.
TASKS: dict[str, tuple[str, t.Callable[[str], dict[str, t.Any]]]] = {
    "env, a mapping": ("plugin", lambda it: {**REGISTER, "env": {"PASSWORD": it}}),
    "env, a list": ("plugin", lambda it: {**REGISTER, "env": ["A=b", f"PASSWORD={it}"]}),
    "env, of an absent one": (
        "plugin",
        lambda it: {**REGISTER, "state": "absent", "env": {"PASSWORD": it}},
    ),
    "userpass": (
        "plugin_reload",
        lambda it: {**RELOAD, "auth_method": "userpass", "username": "me", "password": it},
    ),
    "userpass, upgrade": (
        "plugin_upgrade",
        lambda it: {
            "plugin": "ext",
            "version": "v1.0.0",
            "auth_method": "userpass",
            "username": "me",
            "password": it,
        },
    ),
    "ldap": (
        "plugin_info",
        lambda it: {"auth_method": "ldap", "username": "me", "password": it},
    ),
    "approle": (
        "plugin_pin",
        lambda it: {
            "name": "ext",
            "type": "secret",
            "version": "v1.0.0",
            "auth_method": "approle",
            "role_id": "a-role",
            "secret_id": it,
        },
    ),
    "jwt": ("plugin_reload", lambda it: {**RELOAD, "auth_method": "jwt", "jwt": it}),
    "login": (
        "login",
        lambda it: {"auth_method": "userpass", "username": "me", "password": it},
    ),
}
TOKEN = {"token": ("plugin_reload", lambda it: {**RELOAD, "token": it})}


def hostile(words: str) -> dict[str, Answer]:
    """Return the answers that repeat ``words``, by name."""
    return {
        "refusal": Answer(500, {"errors": [words]}),
        "denied": Answer(403, {"errors": ["1 error occurred:\n\t* permission denied", words]}),
        "no such mount": Answer(400, {"errors": [f'cannot fetch mount entry on "x/": {words}']}),
        "page": Answer(502, words),
        "JSON of a gateway": Answer(504, {"message": words}),
        "success of another": Answer(200, {"status": words}),
        "warning": Answer(200, {"request_id": "1", "data": None, "warnings": [words]}),
    }


def repeated(secret: str) -> list[str]:
    """Return words with ``secret`` as it is and quoted, the cut at each place of it."""
    forms = {secret, json.dumps(secret)[1:-1]}
    starts = range(LONGEST - 28, LONGEST - 12, 5)
    return [f"{'w ' * (start // 2)}{form} end" for form in forms for start in starts]


@pytest.mark.slow
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", [*TASKS, *TOKEN])
def test_handwritten_words_that_repeat_a_secret(name: str, secret: str) -> None:
    operation, options = {**TASKS, **TOKEN}[name]
    text = SECRETS[secret] if name in TASKS else PLAIN
    for words in repeated(text):
        for kind, answer in hostile(words).items():
            with handwritten_server({"": answer}) as server:
                arguments = {"url": server.url, "proxies": "", **options(text)}
                result = run_task(operation, arguments, False, proxy="", token="unused")
            assert FIRST not in json.dumps(result), f"{kind}: {result}"


def test_handwritten_words_of_a_node_that_repeat_the_token() -> None:
    """A node has a connection of its own, and the secrets of the task."""
    # https://openbao.org/api-docs/system/health/ and .../leader/
    health = {"initialized": True, "sealed": False, "standby": False, "version": "2.7.2"}
    row = {"type": "ext", "accessor": "ext_1", "plugin_version": "v1.0.0"}
    entry = {"type": "secret", "name": "ext", "version": "v1.0.0", "sha256": "ab"}
    builtin = {"type": "secret", "name": "kv", "version": "v2.7.2+builtin.bao", "builtin": True}
    answers = {
        "GET /v1/sys/health": Answer(200, {**health, "cluster_id": "c"}),
        "GET /v1/sys/leader": Answer(200, {"ha_enabled": True, "is_self": True}),
        "GET /v1/sys/mounts/ext": Answer(200, {"data": row}),
        "GET /v1/sys/plugins/catalog": Answer(200, {"data": {"detailed": [entry, builtin]}}),
    }
    for words in repeated(PLAIN):
        for kind, answer in hostile(words).items():
            rows = {"GET /v1/sys/health": answers["GET /v1/sys/health"], "": answer}
            with handwritten_server(answers) as server, handwritten_server(rows) as node:
                arguments = {
                    "mounts": ["ext"],
                    "scope": "global",
                    "wait_timeout": "1",
                    "nodes": [node.url],
                    "url": server.url,
                    "proxies": "",
                    "token": PLAIN,
                }
                result = run_task("plugin_reload", arguments, True, proxy="", token="")
                assert node.seen, result
            assert FIRST not in json.dumps(result), f"{kind}: {result}"
