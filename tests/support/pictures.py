# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of the documentation, as SVG made from text; a test holds that they are fresh.

As a program it writes them: ``python -m tests.support.pictures``.
"""

from __future__ import annotations

import pathlib
import re
import textwrap
import typing as t
import xml.sax.saxutils

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
README = DOCS.parent / "README.md"
FOLDER = DOCS / "pictures"
DEMO = re.compile(r"<!-- test: demo -->\n```text\n(.*?)```", re.DOTALL)

LETTER, LINE, MARGIN = 7.83, 20, 18  # of a terminal, at 13 pixels
INDENT = " " * 11  # of what continues a line
LANE, STEP, HEAD = 190, 40, 64  # of a sequence
ARROW = re.compile(r"(?P<source>\w+) -> (?P<targets>[\w, ]+): (?P<label>.+)")
COLOURS = [
    (re.compile(r"^\s*failed"), "#ff9e8f"),
    (re.compile(r"^\s*(after|proof|result)"), "#8fe388"),
    (re.compile(r"^\s*(before|still)"), "#f3cf7a"),
    (re.compile(r"^\$"), "#ffffff"),
    (re.compile(r"^(- |  [\w.]+:$|    \w+: )"), "#8ecbff"),
]


def terminal(text: str, title: str, columns: int) -> str:
    """Return what a terminal showed, line by line as in a recording."""
    lines: list[tuple[str, str]] = []
    for line in text.rstrip().splitlines():
        colour = lines[-1][1] if line.startswith(INDENT) else _colour(line)
        lines += [(part, colour) for part in _wrapped(line, columns)]
    width = round(columns * LETTER + 2 * MARGIN)
    height = len(lines) * LINE + 2 * MARGIN + 22
    rows = [
        f'<text class="line" style="animation-delay:{number * 0.35:.2f}s" x="{MARGIN}" '
        f'y="{MARGIN + 36 + number * LINE}" fill="{colour}">{_escaped(line)}</text>'
        for number, (line, colour) in enumerate(lines)
    ]
    dots = [
        f'<circle cx="{MARGIN + 4 + number * 18}" cy="18" r="5" fill="{colour}"/>'
        for number, colour in enumerate(("#ff6b5e", "#f5bf4f", "#5fcf65"))
    ]
    style = (
        "text{font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}"
        ".line{animation:show .01s both}@keyframes show{from{opacity:0}to{opacity:1}}"
        "@media print,(prefers-reduced-motion:reduce){.line{animation:none}}"
    )
    frame = f'<rect width="{width}" height="{height}" rx="9" fill="#14202b"/>'
    return _picture(width, height, title, style, [frame, *dots, *rows])


def _wrapped(line: str, columns: int) -> list[str]:
    """Return a line as a narrow terminal shows it, readable on a phone too."""
    indent = "    " if line.startswith("$") else INDENT
    return textwrap.wrap(line, columns, subsequent_indent=indent, break_long_words=False) or [""]


def _colour(line: str) -> str:
    return next((colour for pattern, colour in COLOURS if pattern.search(line)), "#d7e0e8")


def sequence(text: str) -> str:
    """Return who sends what to whom, from a title, the names, and a line for each step.

    A line `a -> b, c: label` is an arrow to each; `== label` is a span of time until `==`.
    """
    title, names, *steps = [line for line in text.splitlines() if line and line[0] != "#"]
    lanes = {
        name.split("=")[0].strip(): (LANE * (number + 0.5), name.split("=")[1].strip())
        for number, name in enumerate(names.split("|"))
    }
    width, height = LANE * len(lanes), HEAD + STEP * len(steps) + 16
    under: list[str] = [f'<rect width="{width}" height="{height}" rx="9" fill="#f6f8f7"/>']
    over: list[str] = []
    for x, label in lanes.values():
        under.append(f'<path d="M{x} 44V{height - 12}" stroke="#9fb0aa" stroke-dasharray="3 4"/>')
        over.append(f'<rect x="{x - 80}" y="14" width="160" height="30" rx="6" fill="#0b5d47"/>')
        over.append(f'<text x="{x}" y="34" fill="#fff" font-weight="600">{_escaped(label)}</text>')
    begin = (0.0, "")
    for number, step in enumerate(steps):
        y = HEAD + STEP * (number + 0.5)
        if step.startswith("=="):
            if begin[1]:
                under.append(_span(begin[0], y, width, begin[1]))
            begin = (y, step[2:].strip())
        else:
            over += _arrows(step, y, {name: x for name, (x, _label) in lanes.items()})
    style = "text{font:13px system-ui,'DejaVu Sans',sans-serif;text-anchor:middle;fill:#17302a}"
    style += "text[fill='#fff']{fill:#fff}.down{fill:#8c1d18;font-weight:600;text-anchor:start}"
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#0b5d47"/></marker></defs>'
    )
    return _picture(width, height, title, style, [marker, *under, *over])


def _arrows(step: str, y: float, lanes: dict[str, float]) -> list[str]:
    match = ARROW.fullmatch(step)
    assert match, step
    source, targets = match["source"], match["targets"].split(", ")
    if targets == [source]:
        return [_label(lanes[source], y + 4, match["label"])]
    ends = [lanes[name] for name in targets]
    farthest = max(ends, key=lambda end: abs(end - lanes[source]))
    dots = [
        f'<circle cx="{end}" cy="{y}" r="4" fill="#0b5d47"/>' for end in ends if end != farthest
    ]
    line = (
        f'<path d="M{lanes[source]} {y}H{farthest}" stroke="#0b5d47" stroke-width="1.6" '
        'marker-end="url(#tip)"/>'
    )
    return [line, *dots, _label((lanes[source] + farthest) / 2, y - 6, match["label"])]


def _label(x: float, y: float, label: str) -> str:
    halo = 'paint-order="stroke" stroke="#f6f8f7" stroke-width="5"'
    return f'<text x="{x}" y="{y}" {halo}>{_escaped(label)}</text>'


def _span(begin: float, end: float, width: int, label: str) -> str:
    box = f'<rect x="6" y="{begin}" width="{width - 12}" height="{end - begin}" rx="6" '
    return (
        f'{box}fill="#fbe3df"/><text class="down" x="16" y="{begin + 17}">{_escaped(label)}</text>'
    )


def _picture(width: int, height: int, title: str, style: str, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img"><title>{_escaped(title)}</title><style>{style}</style>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def _escaped(text: str) -> str:
    return xml.sax.saxutils.escape(text)


def pictures() -> dict[str, str]:
    """Return each picture's name and content, from the texts that they are made of."""
    made = {
        f"{path.stem}.svg": sequence(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.txt"))
    }
    for name, page, columns, title in (
        ("demo.svg", README, 68, "A reload moves weather/ from v1.0.0 to v1.1.0"),
        ("demo-upgrade.svg", DOCS / "upgrade.md", 100, "A rollout, and one that is rolled back"),
    ):
        match = DEMO.search(page.read_text(encoding="utf-8"))
        assert match, page
        made[name] = terminal(match[1], title, columns)
    return made


def write(made: t.Mapping[str, str]) -> None:
    """Write the pictures to where the documentation has them."""
    for name, content in made.items():
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write(pictures())
