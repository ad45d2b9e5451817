# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known vulnerabilities of the packages of this environment, as far as the registry knows them."""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> str | int:
    """Return the exit code, or what is wrong."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--format", "json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if not run.stdout:
        *_before, reason = run.stderr.strip().splitlines() or ["it printed nothing"]
        return (
            f"nothing was audited: {reason}\npip-audit asks https://pypi.org itself; behind a "
            "proxy with a CA of its own, REQUESTS_CA_BUNDLE has to name its certificate"
        )
    packages = json.loads(run.stdout)["dependencies"]
    unknown = [row["name"] for row in packages if "skip_reason" in row]
    bad = [
        f"{row['name']} {row['version']}: {row['vulns']}" for row in packages if row.get("vulns")
    ]
    print(f"{len(packages) - len(unknown)} packages audited, {len(bad)} with known vulnerabilities")
    if unknown:
        print(f"not audited, as the registry has no data of them: {', '.join(unknown)}")
    if len(unknown) == len(packages):
        return "nothing was audited: run this where https://pypi.org can be reached"
    return "\n".join(bad) or 0


if __name__ == "__main__":
    sys.exit(main())
