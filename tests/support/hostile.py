# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that a server should never give, and options that nobody should: what hypothesis draws.

The answers are those that a real server gave (tests/recorded), with some of them spoilt: a field of
another type, a field more or less, or another answer altogether.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import typing as t
import urllib.parse

from hypothesis import strategies as st

from .http_servers import OF_A_SERVER, QuietHandler, serving
from .recordings import REQUEST, URL, Exchange, Recording, Task, recorded_files

READS = ("GET", "LIST")
# A login and its end, of which the recordings have none.
CLIENT_TOKEN = "a-token-that-a-login-made"
SECRET_ID = "a-secret-of-an-approle"
LOGIN = {"auth_method": "approle", "role_id": "a-role", "secret_id": SECRET_ID}
LOGIN_ANSWER = {
    "request_id": "1",
    "data": None,
    "auth": {
        "client_token": CLIENT_TOKEN,
        "accessor": "an-accessor",
        "policies": ["default"],
        "token_policies": ["default"],
        "metadata": {"role_name": "ansible"},
        "lease_duration": 60,
        "renewable": True,
        "entity_id": "an-entity",
        "token_type": "service",
        "orphan": True,
        "num_uses": 0,
    },
}

_NASTY = (
    "",
    " ",
    "..",
    "../sys/seal",
    "a/../../sys/seal",
    "..%2fsys%2fseal",
    "%2e%2e/sys/seal",
    "a%2fb",
    "a\\..\\b",
    "./a",
    "a//b",
    "//evil.example/",
    "http://evil.example/",
    "a?x=y",
    "a#b",
    "a;b",
    "a b",
    "a\nb",
    "a\r\nX-Vault-Token: x",
    "a\tb",
    "\x00",
    "\x1b[2J",
    "\u202eb",
    "\ud800",
    "\udcff",
    "\u00e4",
    "\u65e5\u672c",
    "\U0001f512",
    "{{ 1 }}",
    "null",
    "-1",
    "1e400",
    "nan",
    "\u00b2",
    "9" * 400,
    "x" * 300,
    "a/" * 500,
)
_BODIES = (
    b"",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"{}",
    b'{"data": ',
    b'{"data": {}}',
    b'{"request_id": "1", "data": {}}',
    b'{"request_id": "1", "data": null}',
    b'{"errors": []}',
    b'{"errors": ["no"]}',
    b'{"errors": 5}',
    b'{"errors": [{"code": 5}]}',
    b'{"errors": ["\\ud800"]}',
    b'{"request_id": "1", "data": {"a/": {"type": "\\ud800"}}}',
    b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"data":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"request_id": "1", "data": {"keys": NaN}}',
    b'{"request_id": "1", "data": {"number": ' + b"9" * 5_000 + b"}}",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe\xfd",
    b"<html>Bad Gateway</html>",
)
_STATUSES = (
    *(200, 201, 202, 203, 204, 205, 206, 226, 300, 301, 302, 303, 304, 305, 307, 308),
    *(400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 412, 413, 418, 421, 429, 451, 472, 473),
    *(500, 501, 502, 503, 504, 507, 511, 520, 599),
)
_HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Content-Type": "text/html"},
    {"Content-Type": "application/json; charset=no-such"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "br"},
    {"Retry-After": "-1"},
    {"Retry-After": "\u00b2"},
    {"Retry-After": "9" * 400},
    {"Location": "http://["},
    {"Location": "/login"},
    {"Location": "http://evil.example/v1/"},
    {"Location": "//user:password@evil.example:99999/"},
    {"X-Vault-Inline-Auth-Failed": "true"},
    {"Set-Cookie": "a=b"},
)

# The default alphabet has no surrogates, and _NASTY has some.
texts = st.one_of(st.sampled_from(_NASTY), st.text(max_size=8))
numbers = st.one_of(
    st.integers(), st.floats(), st.sampled_from((-1, 0, 10**30, float("inf"), float("nan")))
)
values: st.SearchStrategy[t.Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


class Reply:
    """What goes over the wire.  No dataclass: hypothesis would show all of it."""

    def __init__(
        self, status: int, content: bytes, headers: t.Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.content = content
        self.headers = headers or {}

    def __repr__(self) -> str:
        shown = f"{self.content[:200]!r}{'…' * (len(self.content) > 200)}"
        return f"Reply({self.status}, {shown}, {self.headers})"


@dataclasses.dataclass(frozen=True)
class Edit:
    """Another value for the part with the number ``where``, counted round, of an answer.

    ``how`` is replace, drop, rename or add; ``key`` is that of what is renamed or added.
    """

    where: int
    how: t.Literal["replace", "drop", "rename", "add"]
    value: t.Any = None
    key: str = ""

    def of(self, answer: t.Any) -> t.Any:
        """Return ``answer`` with this edit."""
        whole = {"": copy.deepcopy(answer)}
        parts = list(_parts(whole))
        holder, name = parts[self.where % len(parts)]
        part = holder[name]
        if self.how == "replace" or (self.how == "drop" and holder is whole):
            holder[name] = self.value
        elif self.how == "drop":
            del holder[name]
        elif self.how == "add" and isinstance(part, dict):
            part[self.key] = self.value
        elif self.how == "add" and isinstance(part, list):
            part.append(self.value)
        elif isinstance(holder, dict) and holder is not whole:
            holder[self.key] = holder.pop(name)
        return whole[""]


Spoilt: t.TypeAlias = Reply | Edit

replies = st.builds(
    Reply,
    st.sampled_from(_STATUSES),
    st.sampled_from(_BODIES) | values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(_HEADERS),
)
edits = st.builds(
    Edit,
    st.integers(0, 60),
    st.sampled_from(("replace", "drop", "rename", "add")),
    values,
    texts,
)
# By the position of the request.
plans = st.dictionaries(
    st.integers(0, 12), st.one_of(edits, edits, edits, replies), min_size=1, max_size=3
)


def _parts(holder: t.Any) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Yield each part of a value of JSON, as where it is kept and by what name."""
    names = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    for name in names:
        yield holder, name
        if isinstance(holder[name], (dict, list)):
            yield from _parts(holder[name])


class Scene:
    """A recorded task, and what the server answered to it and to the other tasks of its scenario.

    No dataclass: hypothesis would show all of it.
    """

    def __init__(self, name: str, task: Task, exchanges: t.Iterable[Exchange]) -> None:
        self.name = name
        self.task = task
        self.exchanges = list(exchanges)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.task.operation} {self.task.options}>"


def scenes() -> list[Scene]:
    """Return all recorded tasks, and two of the module login, of which there is no recording."""
    found = []
    for path in recorded_files():
        recording = Recording.read(path)
        for number, task in enumerate(recording.tasks):
            own = [row for row in recording.exchanges if row.task == number]
            others = [row for row in recording.exchanges if row.task != number]
            if task.operation != REQUEST:
                name = f"{path.stem} {number}"
                found.append(Scene(name, task, [*own, *others]))
    logins: list[dict[str, t.Any]] = [{**LOGIN}, {"state": "revoked", "token": CLIENT_TOKEN}]
    found += [Scene("login", Task("login", options, False, {}), []) for options in logins]
    return found


def any_scene() -> st.SearchStrategy[Scene]:
    """Draw a module, then one of its tasks: else most tasks would be reloads."""
    by_module: dict[str, list[Scene]] = {}
    for scene in scenes():
        by_module.setdefault(scene.task.operation, []).append(scene)
    return st.one_of([st.sampled_from(group) for _name, group in sorted(by_module.items())])


@dataclasses.dataclass
class Seen:
    """A request as it arrived, and whether what came back had the server's own form."""

    method: str
    target: str
    body: bytes
    own_word: bool

    @property
    def is_write(self) -> bool:
        """Whether it may change what the task is about; a login and its end do not."""
        path = self.path
        ends = (path.startswith("auth/") and path.endswith("/login")) or path == REVOKE
        return self.method not in READS and not ends

    @property
    def path(self) -> str:
        """The path of the API, as the server reads it."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.target).path).removeprefix("/v1/")


REVOKE = "auth/token/revoke-self"


def is_own_word(status: int, content: bytes) -> bool:
    """Tell whether an answer has the form that the servers' documentation gives to it."""
    if status == 204:
        return True  # a body is none of its parts, and is not read
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(body, dict):
        return False
    if status in (200, 202):
        # Of the paths without an envelope: health, leader, path help.
        plain = {"initialized", "ha_enabled", "help"} & body.keys()
        return bool(plain) or ("data" in body and isinstance(body.get("request_id"), str))
    errors = body.get("errors", [])
    return status >= 400 and isinstance(errors, list) and all(isinstance(e, str) for e in errors)


class HostileServer:
    """Answers as recorded for the ``scene``, but for the requests that the ``plan`` spoils."""

    def __init__(self, url: str) -> None:
        """Know the address; begin() says what is answered."""
        self.url = url
        self.seen: list[Seen] = []
        self._left: dict[str, list[Exchange]] = {}
        self._plan: t.Mapping[int, Spoilt] = {}
        self._openbao = False

    def begin(self, scene: Scene, plan: t.Mapping[int, Spoilt], openbao: bool = False) -> None:
        """Begin a scene; with ``openbao`` the server says that it is OpenBao."""
        self.seen, self._left, self._plan, self._openbao = [], {}, plan, openbao
        for exchange in scene.exchanges:
            for line in (exchange.request, f"{exchange.method} {exchange.path}"):
                self._left.setdefault(line, []).append(exchange)

    def answer(self, method: str, target: str, content: bytes) -> Reply:
        """Return the answer to a request, and note it."""
        reply = self._spoilt(self._recorded(method, target, content))
        self.seen.append(Seen(method, target, content, is_own_word(reply.status, reply.content)))
        return reply

    def _recorded(self, method: str, target: str, content: bytes) -> tuple[int, t.Any]:
        path = target.removeprefix("/v1/")
        if method == "POST" and path.endswith("/login"):
            return 200, LOGIN_ANSWER
        if path == REVOKE:
            return 204, None
        if path == "auth/token/lookup-self":
            return 200, {"request_id": "1", "data": {"id": CLIENT_TOKEN}}
        body = json.loads(content) if content else None
        for line in (Exchange(0, method, path, body, 0, {}, None).request, f"{method} {path}"):
            found = self._left.get(line)
            if found:
                exchange = found.pop(0) if len(found) > 1 else found[0]
                answer = exchange.answer
                if self._openbao and path.startswith("sys/health"):
                    answer = {**answer, "version": "2.7.2"}
                    answer.pop("performance_standby", None)
                return exchange.status, answer
        return 404, {"errors": []}

    def _spoilt(self, answer: tuple[int, t.Any]) -> Reply:
        status, body = answer
        change = self._plan.get(len(self.seen))
        if isinstance(change, Reply):
            return change
        if change is not None:
            body = change.of(body)
        return Reply(status, b"" if body is None else json.dumps(body).encode(), OF_A_SERVER)


@contextlib.contextmanager
def hostile_server() -> t.Iterator[HostileServer]:
    """Run the server for the length of a ``with`` block, as a proxy to any host."""

    class Handler(QuietHandler):
        def do(self) -> None:
            target = self.path
            if target.startswith(URL + "/"):
                target = target.removeprefix(URL)
            reply = server.answer(self.command, target, self.body())
            self.reply(reply.status, reply.content, reply.headers)

    with serving(Handler) as url:
        server = HostileServer(url)
        yield server
