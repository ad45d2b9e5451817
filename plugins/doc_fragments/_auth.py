# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the authentication options, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of AUTH_SPEC in module_utils/_auth/_methods.py."""

    DOCUMENTATION = r"""
options:
  auth_method:
    description:
      - How to get the token that is sent with each request.
      - V(token) takes a token that is there already, see O(token).
      - V(none) sends no token, for an agent or proxy that adds its own.
    type: str
    choices: [token, none]
    default: token
  token:
    description:
      - The token. It is masked in all output.
      - If not given, the environment variable E(BAO_TOKEN) or E(VAULT_TOKEN) is used, else the
        file in which the command line clients keep theirs, see O(token_path).
    type: str
  token_path:
    description:
      - The folder of the token file, or the token file itself, on the host that runs the task.
      - If not given, the environment variable E(BAO_TOKEN_PATH) or E(VAULT_TOKEN_PATH) is used,
        else the home directory.
    type: path
  token_file:
    description: Name of the token file, if O(token_path) is a folder.
    type: str
    default: .vault-token
"""
