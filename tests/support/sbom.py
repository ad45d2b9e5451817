# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SBOM of a release: the tarball, what it needs at run time, and under which licences.

``python -m tests.support.sbom TARBALL SBOM`` reads the tarball of a release and writes its SBOM.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pathlib
import re
import sys
import tarfile
import typing as t

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

# What the collection imports at run time, where it is always needed.
NEEDED = ("ansible-core", "requests")
# Licences that go with GPL-3.0-or-later, in the words that packages use.
COMPATIBLE = re.compile(r"MIT|BSD|Apache|Apache-2|ISC|PSF|Python Software|MPL|Mozilla|GPL|GNU")


def main() -> str | int:
    """Return the exit code, or what is wrong."""
    release, sbom = map(pathlib.Path, sys.argv[1:])
    text = JsonV1Dot6(_bom(release)).output_as_string(indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        return f"no valid CycloneDX: {error}"
    sbom.write_text(f"{text}\n", encoding="utf-8")
    packages = _closure(NEEDED)
    bad = [f"{name}: {_licence(name)}" for name in packages if not _fits(name)]
    print(f"{sbom}: {len(packages)} packages, {len(bad)} with another licence")
    return "\n".join(bad) or 0


def _bom(release: pathlib.Path) -> Bom:
    with tarfile.open(release) as tarball:
        manifest = tarball.extractfile("MANIFEST.json")
        assert manifest
        told: dict[str, str] = json.load(manifest)["collection_info"]
    bom = Bom()
    collection = Component(
        name=f"{told['namespace']}.{told['name']}",
        version=told["version"],
        type=ComponentType.LIBRARY,
        licenses=[DisjunctiveLicense(id="GPL-3.0-or-later")],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=_sha256(release))],
        bom_ref="collection",
    )
    bom.metadata.component = collection
    components = {name: _component(name) for name in _closure(NEEDED)}
    for name, component in components.items():
        bom.components.add(component)
        needs = [components[other] for other in _requirements(name)]
        bom.register_dependency(component, needs)
    bom.register_dependency(collection, [components[name] for name in NEEDED])
    return bom


def _component(name: str) -> Component:
    version = importlib.metadata.version(name)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", name=name, version=version),
        licenses=[DisjunctiveLicense(name=_licence(name))],
        bom_ref=f"{name}=={version}",
    )


def _closure(names: t.Iterable[str]) -> list[str]:
    """Return the names of packages and of all that they need."""
    found: dict[str, None] = {}
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found[name] = None
            left += _requirements(name)
    return sorted(found)


def _requirements(name: str) -> list[str]:
    """Return what a package needs here, without its extras."""
    found = []
    for text in importlib.metadata.requires(name) or ():
        requirement, _mark, marker = text.partition(";")
        needed = _normalised(re.split(r"[^\w.-]", requirement.strip())[0])
        if "extra" not in marker and _is_installed(needed):
            found.append(needed)
    return found


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False  # for another system or Python
    return True


def _licence(name: str) -> str:
    """Return the licence in the words of the package."""
    metadata = importlib.metadata.metadata(name)
    kinds = [text for text in metadata.get_all("Classifier") or () if text.startswith("License")]
    whole = "".join(metadata.get_all("License") or ()).splitlines()[:1]
    expression = "".join(metadata.get_all("License-Expression") or ())
    words = expression or "; ".join(kinds) or "".join(whole)
    return words or "none told"


def _fits(name: str) -> bool:
    return bool(COMPATIBLE.search(_licence(name)))


def _sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
