# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers the tests ran on, and how many tests passed: docs/tested.md and what quotes it.

Where $VAULTOPS_TESTED names a folder, a run of pytest leaves a note there: the servers that it
really started, by their own ``sys/health``, and its counts.  Nox sets it for sessions that run in
full.  ``python3 noxfile.py -s tested`` writes the notes into the documentation; nothing else does.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import re
import typing as t

VARIABLE = "VAULTOPS_TESTED"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "tested.md"
QUOTING = [
    REPOSITORY / "README.md",
    REPOSITORY / "docs" / "developing.md",
    REPOSITORY / "docs" / "vault-and-openbao.md",
]
QUOTE = re.compile(r"(<!-- tested: (\w+) -->).*?(<!-- end -->)", re.DOTALL)
ROW = re.compile(
    r"^\| (\S+) \| (.+) \| (\d{4}-\d\d-\d\d) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE
)
NAMES = {"OpenBao": "OpenBao", "Vault": "HashiCorp Vault Community"}
_noted: set[str] = set()


class Run(t.NamedTuple):
    """A run of pytest: its session of nox, and what is told of it."""

    session: str
    servers: str
    date: str
    passed: int
    other_product: int
    skipped: int


def note_server(product: str, version: str) -> None:
    """Note a server that was started, once for each process."""
    folder, line = os.environ.get(VARIABLE), f"{NAMES[product]} {version}\n"
    if folder and line not in _noted:
        _noted.add(line)
        with (pathlib.Path(folder) / "servers").open("a", encoding="utf-8") as file:
            file.write(line)


def note_counts(stats: t.Mapping[str, t.Sequence[t.Any]]) -> None:
    """Note the counts of a run that did not fail, from those of pytest's terminal reporter."""
    folder = os.environ.get(VARIABLE)
    if not folder or any(stats.get(outcome) for outcome in ("failed", "error", "subtests failed")):
        return
    reasons = [str(report.longrepr[2]) for report in stats.get("skipped", [])]
    other = [reason for reason in reasons if re.search(r"\b(openbao|vault)_only: ", reason)]
    counts = {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "passed": len(stats.get("passed", [])),
        "other_product": len(other),
        "skipped": len(reasons) - len(other),
    }
    (pathlib.Path(folder) / "counts.json").write_text(json.dumps(counts), encoding="utf-8")


def fresh_folder(folder: pathlib.Path) -> str:
    """Return an empty folder for the note of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("servers", "counts.json"):
        (folder / name).unlink(missing_ok=True)
    return str(folder)


def noted_runs(folder: pathlib.Path) -> list[Run]:
    """Return the runs that left a note below ``folder``, each in the folder of its session."""
    runs = []
    for counts in sorted(folder.glob("*/counts.json")):
        servers = (counts.parent / "servers").read_text(encoding="utf-8").splitlines()
        content = json.loads(counts.read_text(encoding="utf-8"))
        runs.append(Run(counts.parent.name, ", ".join(sorted(set(servers))), **content))
    return runs


def documented_runs() -> list[Run]:
    """Return the runs that docs/tested.md has."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return [Run(*row[:3], *map(int, row[3:])) for row in rows]


def write(runs: t.Iterable[Run]) -> list[str]:
    """Put ``runs`` in the place of those of the same sessions; return the files that changed."""
    known = {run.session: run for run in (*documented_runs(), *runs)}
    page = PAGE.read_text(encoding="utf-8")
    head = page[: page.index("|---")] + "|---|---|---|---:|---:|---:|\n"
    rows = "".join(f"| {' | '.join(map(str, known[name]))} |\n" for name in sorted(known))
    texts = {PAGE: head + rows}
    texts.update({path: quoted(path, list(known.values())) for path in QUOTING})
    changed = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(texts[path], encoding="utf-8")
    return [str(path.relative_to(REPOSITORY)) for path in changed]


def quoted(path: pathlib.Path, runs: t.Sequence[Run]) -> str:
    """Return the text of a page with what it quotes of ``runs`` as it must be."""
    return QUOTE.sub(
        lambda match: f"{match[1]}{_quote(match[2], runs)}{match[3]}",
        path.read_text(encoding="utf-8"),
    )


def _quote(name: str, runs: t.Sequence[Run]) -> str:
    if name == "vault":
        run = next(run for run in runs if run.session == "vault")
        return (
            f"{run.passed} tests passed on {run.servers}, and {run.other_product} are marked for "
            f"OpenBao only"
        )
    product = NAMES[{"openbao_releases": "OpenBao", "vault_releases": "Vault"}[name]]
    servers = {server for run in runs for server in run.servers.split(", ")}
    found = {server.removeprefix(f"{product} ") for server in servers if server.startswith(product)}
    *others, newest = sorted(found, key=lambda version: [*map(int, re.findall(r"\d+", version))])
    return f"{', '.join(others)} and {newest}" if others else newest
