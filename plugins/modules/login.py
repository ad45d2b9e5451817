# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: login
short_description: Log in to HashiCorp Vault or OpenBao once, for many tasks
version_added: 0.1.0
author:
  - the vaultops.vault authors (@vaultops)
description:
  - Logs in with any O(auth_method) that creates a token, and returns the token for later tasks
    (O(state=present)). Revokes the token when the work is done (O(state=revoked)).
  - Every other module of the collection can log in by itself, and then revokes the token at the
    end of the task unless O(keep_token=true). Use this module if a login is slow or reaches an
    external directory, if the credentials are valid for one login only, or to save requests.
extends_documentation_fragment:
  - vaultops.vault._attributes
  - vaultops.vault._attributes.actiongroup_vault
  - vaultops.vault._attributes.interrupted
  - vaultops.vault._connection
  - vaultops.vault._auth
attributes:
  check_mode:
    support: full
    details:
      - Creates and revokes nothing. With O(state=present) the module sends no request at all, and
        RV(login) is null. Set C(check_mode=false) on the task if later tasks need the token in
        check mode.
  diff_mode:
    support: N/A
options:
  state:
    description:
      - V(present) creates a new token on each run.
      - V(revoked) revokes O(token), and everything that was created with it, such as child tokens.
        All options of a login are ignored, so they may stay in C(module_defaults). If the token is
        not valid, or no longer valid, the task reports no change.
    type: str
    choices: [present, revoked]
    default: present
notes:
  - B(The token is part of the result.) It cannot be masked, because then no task could use it. Set
    C(no_log=true) on the task to hide it from everyone who can see the output of the play. A later
    task that receives it as O(token) masks it in its own output.
  - The token is valid until it is revoked or its lease ends. O(keep_token) and O(auth_mode) have no
    effect here.
  - To revoke, the token needs C(update) on C(auth/token/revoke-self), and in check mode C(read) on
    C(auth/token/lookup-self). The policy C(default) grants both.
seealso:
  - module: vaultops.vault.plugin_reload
  - name: OpenBao documentation
    description: Authentication methods.
    link: https://openbao.org/docs/auth/
"""

EXAMPLES = r"""
- name: Log in once for many tasks
  vaultops.vault.login:
    url: https://vault.example.com:8200
    auth_method: approle
    role_id: "{{ role_id }}"
    secret_id: "{{ secret_id }}"
  register: vault
  no_log: true

- name: Work with the token, and revoke it whatever happens
  module_defaults:
    group/vaultops.vault.vault:
      url: https://vault.example.com:8200
      token: "{{ vault.login.client_token }}"
  block:
    - name: Reload all mounts of a plugin
      vaultops.vault.plugin_reload:
        plugin: my-plugin
  always:
    - name: Revoke the token
      vaultops.vault.login:
        state: revoked
"""

RETURN = r"""
login:
  description:
    - The token and its properties, as the server reports them. Null in check mode.
  returned: when O(state=present)
  type: dict
  contains:
    client_token:
      description: The token, not masked. See the notes.
      type: str
      sample: s.iyNUhq8Ov4hIAx6snw5mB2nL
    accessor:
      description: Accessor of the token, to look it up or to revoke it. It grants no access.
      type: str
      sample: 2c84f488-2133-4ced-87b0-570f93a76830
    policies:
      description: All policies of the token.
      type: list
      elements: str
      sample: [default, reload]
    token_policies:
      description: The policies that the login granted.
      type: list
      elements: str
      sample: [default, reload]
    identity_policies:
      description: The policies of the entity; null if there are none.
      type: list
      elements: str
      sample: null
    metadata:
      description: What the method reports about the identity that has logged in.
      type: dict
      sample: {role_name: reload}
    entity_id:
      description: Identifier of the entity.
      type: str
      sample: 7d2e3179-f69b-450c-7179-ac8ee8bd8ca9
    lease_duration:
      description: How long the token is valid, in seconds.
      type: int
      sample: 3600
    renewable:
      description: Whether the token can be renewed.
      type: bool
      sample: true
    token_type:
      description: V(service), or V(batch), which cannot be revoked.
      type: str
      sample: service
    orphan:
      description: Whether the token has no parent token, whose revocation would revoke it too.
      type: bool
      sample: true
    num_uses:
      description: For how many requests the token is valid; V(0) means any number.
      type: int
      sample: 0
status:
  description: HTTP status of the server's answer; null if there was none.
  returned: failure
  type: int
  sample: 400
errors:
  description: The server's error messages, unchanged.
  returned: failure
  type: list
  elements: str
  sample: [invalid role or secret ID]
request_id:
  description: The server's ID of the request, as in its audit log; null if it reported none.
  returned: failure
  type: str
  sample: null
"""

from ansible_collections.vaultops.vault.plugins.module_utils._front.entry import run_module
from ansible_collections.vaultops.vault.plugins.module_utils._operations import login


def main() -> None:
    """Entry point of the module on a target."""
    run_module(login)


if __name__ == "__main__":
    main()
