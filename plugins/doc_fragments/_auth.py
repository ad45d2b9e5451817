# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the authentication options, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of AUTH_SPEC in module_utils/_auth/options.py."""

    DOCUMENTATION = r"""
options:
  auth_method:
    description:
      - How the task authenticates.
      - V(token) uses an existing token, see O(token).
      - V(approle), V(userpass), V(ldap), V(radius), V(jwt), V(kubernetes), V(cert), V(aws_iam),
        V(azure) and V(gcp) log in. The module revokes the token of a login at the end of the task,
        even if the task fails, see O(keep_token).
      - V(none) sends no token. Use it behind an agent or proxy that adds its own.
      - If an option that the method requires is missing, or an option is given that belongs to
        other methods only, the task fails before it sends anything.
      - V(aws_iam) needs the Python library C(botocore) on the host that runs the task.
    type: str
    choices:
      - token
      - approle
      - userpass
      - ldap
      - radius
      - jwt
      - kubernetes
      - cert
      - aws_iam
      - azure
      - gcp
      - none
    default: token
  auth_mode:
    description:
      - V(login) logs in once and uses the token that the server creates.
      - V(inline) sends the credentials with each request, and the server creates no token. OpenBao
        supports this from 2.4 on. The path help of a plugin cannot be requested this way, and a
        role that limits the number of uses of its tokens does not work.
      - V(auto) uses V(inline) for V(userpass), V(jwt), V(kubernetes) and V(cert), whose credentials
        can be sent repeatedly, and falls back to V(login) as soon as the server refuses that. All
        other methods that log in use V(login).
      - Use V(login) behind an agent or proxy that adds its own token to requests without one.
    type: str
    choices: [auto, login, inline]
    default: auto
  auth_namespace:
    description:
      - The namespace in which the task logs in, if it is another one than that of the work,
        O(namespace). An empty string means the root namespace.
      - If not given, the task logs in in O(namespace).
    type: str
  mfa_passcode:
    description:
      - The passcode for a login that the server accepts only with a second factor (login MFA), such
        as the six digits of TOTP. It is valid for a short time and for one login.
      - Methods without a passcode, such as a confirmation on a telephone, are not supported.
    type: str
  keep_token:
    description:
      - Whether the token of a login stays valid after the task, until its lease ends.
    type: bool
    default: false
  mount_point:
    description:
      - Path at which O(auth_method) is mounted, without C(auth/).
      - If not given, the server's default path is used, which is V(aws) for V(aws_iam), and the
        name of the method for all others.
    type: str
    aliases: [vault_approle_path]
  token:
    description:
      - The token. It is masked in all output.
      - If not given, the file that O(token_path) or O(token_file) names is used. If these are not
        given either, the environment variable E(BAO_TOKEN) or E(VAULT_TOKEN) is used, else the
        token file of the command line clients, see O(token_path).
    type: str
  token_path:
    description:
      - Directory of the token file, or the token file itself, on the host that runs the task.
      - If not given, the environment variable E(BAO_TOKEN_PATH) or E(VAULT_TOKEN_PATH) is used,
        else the home directory.
    type: path
  token_file:
    description:
      - Name of the token file, if O(token_path) is a directory.
      - If not given, V(.vault-token).
    type: str
  wrapping_token:
    description:
      - A wrapping token that holds a secret of O(auth_method), which the task unwraps. It takes the
        place of O(secret_id) for V(approle), O(token) for V(token), O(password) for V(userpass),
        V(ldap) and V(radius), and O(jwt) for V(jwt), V(kubernetes), V(azure) and V(gcp).
      - It can be used once, also in check mode. To do more tasks with it, log in by
        M(vaultops.vault.login). A token that was made and wrapped in one step is revoked at the end
        of the task, as that of a login, see O(keep_token).
      - If it was used before, the task fails, because someone else may have the secret.
    type: str
  wrapping_path:
    description:
      - The API path that must have created O(wrapping_token), such as
        V(auth/approle/role/my-role/secret-id). C(*) stands for any characters. If another path has
        created it, the task fails and does not unwrap it.
      - If not given, the token must come from C(auth/<mount_point>/role/*/secret-id) or
        C(custom-secret-id) for V(approle), and from C(auth/token/create), C(auth/token/create/*) or
        C(auth/token/create-orphan) for V(token). All other methods require it.
    type: str
  username:
    description: User name for V(userpass), V(ldap) and V(radius).
    type: str
  password:
    description: Password or passcode of the user, for V(userpass), V(ldap) and V(radius).
    type: str
  role_id:
    description:
      - For V(approle), the role ID. If not given, the environment variable E(BAO_APPROLE_ROLE_ID)
        or E(VAULT_APPROLE_ROLE_ID) is used.
      - For V(jwt), V(kubernetes), V(cert), V(aws_iam), V(azure) and V(gcp), the name of the role.
        V(kubernetes), V(azure) and V(gcp) require it.
    type: str
    aliases: [approle_role_id]
  secret_id:
    description:
      - The secret ID for V(approle), unless the role works without one.
      - If not given, the environment variable E(BAO_APPROLE_SECRET_ID) or
        E(VAULT_APPROLE_SECRET_ID) is used.
    type: str
    aliases: [approle_secret_id]
  jwt:
    description:
      - The signed JSON web token for V(jwt), V(kubernetes), V(azure) and V(gcp).
      - If not given, V(kubernetes) uses the service account token of the pod,
        C(/var/run/secrets/kubernetes.io/serviceaccount/token).
    type: str
  cert_auth_public_key:
    description:
      - File with the certificate for V(cert) in PEM format, on the host that runs the task.
      - If not given, O(client_cert) is used.
    type: path
  cert_auth_private_key:
    description:
      - File with the private key of O(cert_auth_public_key) in PEM format.
      - If not given, O(client_key) is used.
    type: path
  aws_access_key:
    description:
      - The AWS access key for V(aws_iam). Use it together with O(aws_secret_key).
      - If not given, the module uses the credentials that the AWS tools would use on the host that
        runs the task, from environment variables, configuration files, or the instance.
    type: str
    aliases: [aws_access_key_id]
  aws_secret_key:
    description: The AWS secret key for V(aws_iam). Use it together with O(aws_access_key).
    type: str
    aliases: [aws_secret_access_key]
  aws_security_token:
    description: The AWS session token of temporary credentials, for V(aws_iam).
    type: str
  aws_profile:
    description: The AWS profile that provides the credentials, for V(aws_iam).
    type: str
    aliases: [boto_profile]
  region:
    description:
      - The AWS region of the STS endpoint that confirms the identity of the task, for V(aws_iam).
      - If not given, the global endpoint is used.
    type: str
  aws_iam_server_id:
    description:
      - The value that the mount requires as C(iam_server_id_header_value), for V(aws_iam).
    type: str
  azure_subscription_id:
    description: Subscription of the machine, for V(azure), if the role requires it.
    type: str
  azure_resource_group_name:
    description: Resource group of the machine, for V(azure), if the role requires it.
    type: str
  azure_vm_name:
    description: Name of the virtual machine, for V(azure), if the role requires it.
    type: str
  azure_vmss_name:
    description: Name of the scale set of the machine, for V(azure), if the role requires it.
    type: str
  azure_resource_id:
    description: ID of the Azure resource that logs in, for V(azure), if the role requires it.
    type: str
"""
