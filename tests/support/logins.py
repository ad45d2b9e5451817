# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to log in to a real server: each arranges a mount, and returns the options of a task."""

from __future__ import annotations

import contextlib
import pathlib
import time
import typing as t

import jwt
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .handwritten import Answer, HandwrittenServer, handwritten_server
from .server import Server

Options = dict[str, t.Any]

POLICY = """
path "sys/plugins/*" { capabilities = ["read", "update"] }
path "sys/mounts*" { capabilities = ["read"] }
path "sys/auth" { capabilities = ["read"] }
path "+/info" { capabilities = ["read"] }
"""
_KEY = ec.generate_private_key(ec.SECP256R1())


def allow(server: Server, *, namespace: str = "") -> None:
    """Write the policy ``logins`` that all logins here get."""
    server.call("PUT", "sys/policies/acl/logins", {"policy": POLICY}, namespace=namespace)


def enable(server: Server, kind: str, mount: str = "", *, namespace: str = "") -> str:
    """Mount the method ``kind``, by default under its own name; returns its path."""
    server.call("POST", f"sys/auth/{mount or kind}", {"type": kind}, namespace=namespace)
    return f"auth/{mount or kind}"


def userpass(server: Server, mount: str = "", *, namespace: str = "", **more: t.Any) -> Options:
    """Arrange a user; ``more`` are the API's token_* options, here and below."""
    path = enable(server, "userpass", mount, namespace=namespace)
    user = {"password": "a-password", "token_policies": "logins", **more}
    server.call("POST", f"{path}/users/bob", user, namespace=namespace)
    return {"auth_method": "userpass", "username": "bob", "password": "a-password"}


def approle(server: Server, mount: str = "", *, namespace: str = "", **more: t.Any) -> Options:
    """Arrange a role and a secret for it."""
    path = f"{enable(server, 'approle', mount, namespace=namespace)}/role/reload"
    server.call("POST", path, {"token_policies": "logins", **more}, namespace=namespace)
    role_id = server.call("GET", f"{path}/role-id", namespace=namespace)["role_id"]
    secret_id = server.call("POST", f"{path}/secret-id", namespace=namespace)["secret_id"]
    return {"auth_method": "approle", "role_id": role_id, "secret_id": secret_id}


def signed_jwt(server: Server) -> Options:
    """Arrange a role for tokens that are signed by a key of our own."""
    path = enable(server, "jwt")
    public = _KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    server.call("POST", f"{path}/config", {"jwt_validation_pubkeys": [public.decode()]})
    role = {"role_type": "jwt", "bound_audiences": ["us"], "user_claim": "sub"}
    server.call("POST", f"{path}/role/ci", {**role, "token_policies": "logins"})
    return {"auth_method": "jwt", "role_id": "ci", "jwt": _sign(sub="pipeline", aud="us")}


@contextlib.contextmanager
def kubernetes(server: Server) -> t.Iterator[tuple[Options, HandwrittenServer]]:
    """Arrange a role for a service account that a hand-written TokenReview vouches for."""
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "status": {
            "authenticated": True,
            "user": {"username": "system:serviceaccount:ops:ansible", "uid": "an-id"},
        },
    }
    reviews = "POST /apis/authentication.k8s.io/v1/tokenreviews"
    with handwritten_server({reviews: Answer(201, review)}) as cluster:
        path = enable(server, "kubernetes")
        config = {
            "kubernetes_host": cluster.url,
            "kubernetes_ca_cert": trustme.CA().cert_pem.bytes().decode(),
            "token_reviewer_jwt": "a-reviewer",
            "disable_local_ca_jwt": True,
        }
        server.call("POST", f"{path}/config", config)
        bound = {
            "bound_service_account_names": "ansible",
            "bound_service_account_namespaces": "ops",
            "token_policies": "logins",
        }
        server.call("POST", f"{path}/role/pod", bound)
        account = {"namespace": "ops", "serviceaccount": {"name": "ansible", "uid": "an-id"}}
        claims = {"sub": "system:serviceaccount:ops:ansible", "kubernetes.io": account}
        options = {"auth_method": "kubernetes", "role_id": "pod", "jwt": _sign(**claims)}
        yield options, cluster


def certificate(server: Server, directory: pathlib.Path) -> Options:
    """Arrange trust in a CA of our own, and a client certificate of it in ``directory``."""
    authority = trustme.CA()
    client = authority.issue_cert("client.test", common_name="client")
    files = {"public": directory / "client.pem", "private": directory / "client-key.pem"}
    client.cert_chain_pems[0].write_to_path(str(files["public"]))
    client.private_key_pem.write_to_path(str(files["private"]))
    trusted = {"certificate": authority.cert_pem.bytes().decode(), "token_policies": "logins"}
    server.call("POST", f"{enable(server, 'cert')}/certs/hosts", trusted)
    return {
        "auth_method": "cert",
        "cert_auth_public_key": str(files["public"]),
        "cert_auth_private_key": str(files["private"]),
    }


def accessors(server: Server) -> set[str]:
    """Return the accessors of all tokens that are alive."""
    return set(server.call("LIST", "auth/token/accessors")["keys"])


def lookup(server: Server, accessor: str) -> dict[str, t.Any]:
    """Return what root sees of the token behind ``accessor``."""
    return server.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})


def _sign(**claims: t.Any) -> str:
    now = int(time.time())
    return jwt.encode({"iat": now, "exp": now + 600, **claims}, _KEY, algorithm="ES256")
