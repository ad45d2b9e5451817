# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bars as plain SVG: no library, and readable on a light and on a dark page."""

from __future__ import annotations

import typing as t
from xml.sax.saxutils import escape

WIDTH, LABELS, BARS, ROW, GAP = 760, 270, 430, 20, 18

# In two parts, as this file has a licence of its own.
LICENCE = "SPDX-License-" + "Identifier: GPL-3.0-or-later"
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<!--
Copyright (c) 2026, the vaultops.vault authors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt)
{licence}
-->
<title>{title}</title>
<style>
text {{ font: 12px sans-serif; fill: #24292f }}
.title {{ font-weight: bold }}
.label {{ text-anchor: end }}
.ours {{ fill: #1f77d0 }}
.peer {{ fill: #9aa4ae }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .peer {{ fill: #6e7781 }} }}
</style>"""


def bars(title: str, groups: t.Mapping[str, t.Mapping[str, float]], ours: t.Container[str]) -> str:
    """Return an SVG with a bar for each value, all on one scale; ``ours`` stand out."""
    longest = max(value for group in groups.values() for value in group.values())
    drawn = [_text(0, 14, title, "title")]
    top = 14
    for name, group in groups.items():
        top += GAP + ROW
        drawn.append(_text(0, top, name, "title"))
        for label, value in group.items():
            top += ROW
            length = max(value / longest * BARS, 1)
            kind = "ours" if label in ours else "peer"
            place = f'x="{LABELS}" y="{top - 11}" width="{length:.1f}" height="14"'
            drawn += [
                _text(LABELS - 8, top, label, "label"),
                f'<rect class="{kind}" {place}/>',
                _text(LABELS + length + 6, top, f"{value:.3f}", "value"),
            ]
    head = HEAD.format(licence=LICENCE, width=WIDTH, height=top + GAP, title=escape(title))
    return "\n".join([head, *drawn, "</svg>", ""])


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}">{escape(words)}</text>'
