# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed GetCallerIdentity: the proof of an AWS identity that the server can check.

API: https://developer.hashicorp.com/vault/api-docs/auth/aws#login
"""

from __future__ import annotations

import base64
import json
import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._auth.method import (
    LoginRequest,
)
from ansible_collections.vaultops.vault.plugins.module_utils._errors import OptionError
from ansible_collections.vaultops.vault.plugins.module_utils._types import Params

_QUESTION = "Action=GetCallerIdentity&Version=2011-06-15"
_DEFAULT_REGION = "us-east-1"


def identify(params: Params) -> LoginRequest:
    """Return the login with what botocore finds; raises OptionError where it finds nothing."""
    try:
        import botocore.exceptions
    except ImportError:
        raise OptionError(
            "auth_method aws_iam needs the Python library botocore, which is not there",
            next_step="pip install botocore on the host that runs the task",
        ) from None
    try:
        credentials = _credentials(params)
    except botocore.exceptions.BotoCoreError as error:
        raise _no_credentials(str(error)) from None
    if credentials is None:
        raise _no_credentials("botocore finds none")
    url, headers = _signed(credentials, params)
    body = {
        "iam_http_request_method": "POST",
        "iam_request_url": _base64(url),
        "iam_request_body": _base64(_QUESTION),
        "iam_request_headers": _base64(json.dumps(headers)),
    }
    if params["role_id"]:
        body["role"] = params["role_id"]
    secrets = (credentials.secret_key, credentials.token, body["iam_request_headers"])
    return LoginRequest(
        f"auth/{params['mount_point']}/login", body, secrets=tuple(filter(None, secrets))
    )


def _credentials(params: Params) -> t.Any:
    """Return the credentials in the options, else those that the AWS tools would use here."""
    from botocore.credentials import Credentials
    from botocore.session import Session

    if params["aws_access_key"] and params["aws_secret_key"]:
        keys = (params["aws_access_key"], params["aws_secret_key"], params["aws_security_token"])
        return Credentials(*keys)
    found = Session(profile=params["aws_profile"]).get_credentials()
    return found and found.get_frozen_credentials()


def _signed(credentials: t.Any, params: Params) -> tuple[str, dict[str, str]]:
    """Return the address and the headers of a signed GetCallerIdentity."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    region = params["region"] or _DEFAULT_REGION
    host = _host(region)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Content-Length": str(len(_QUESTION)),
        "Host": host,
    }
    if params["aws_iam_server_id"]:
        headers["X-Vault-AWS-IAM-Server-ID"] = params["aws_iam_server_id"]
    request = AWSRequest("POST", f"https://{host}/", headers=headers, data=_QUESTION)
    SigV4Auth(credentials, "sts", region).add_auth(request)
    return request.url, dict(request.headers.items())


def _host(region: str) -> str:
    # The servers know the global address by default, as their own client does.
    if region == _DEFAULT_REGION:
        return "sts.amazonaws.com"
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"sts.{region}.amazonaws.com{suffix}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _no_credentials(why: str) -> OptionError:
    return OptionError(
        f"auth_method aws_iam has no AWS credentials: {why}",
        next_step="give aws_access_key and aws_secret_key, or an aws_profile, or run the task "
        "where the AWS tools find credentials",
    )
