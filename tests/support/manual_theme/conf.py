# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the manual; tests/support/manual.py prepares its pages."""

from __future__ import annotations

project = "vaultops.vault"
author = "the vaultops.vault authors"
copyright = "2026, the vaultops.vault authors. GNU General Public License v3.0 or later"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
# A console block shows a command, and what follows it: no lexer knows the whole.
highlight_language = "text"
pygments_style = "xcode"
pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = "vaultops.vault"
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5d47",
        "color-brand-content": "#0a5a8a",
        "color-foreground-muted": "#4f5560",
        "color-foreground-secondary": "#4a4f59",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6fd3ae",
        "color-brand-content": "#7cc4f5",
        "color-foreground-muted": "#a6abb5",
        "color-foreground-secondary": "#b4b8c0",
    },
}
