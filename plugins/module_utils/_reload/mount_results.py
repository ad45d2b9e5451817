# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reload did to each mount.

Nothing is guessed: what cannot be known is None.
"""

from __future__ import annotations

import typing as t

from ansible_collections.vaultops.vault.plugins.module_utils._api.mounts import Mount
from ansible_collections.vaultops.vault.plugins.module_utils._api.path_help import (
    GONE,
    UNKNOWN_HEALTH,
    Health,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugin_failures import (
    is_being_removed,
)
from ansible_collections.vaultops.vault.plugins.module_utils._api.plugins_reload import ReloadAnswer
from ansible_collections.vaultops.vault.plugins.module_utils._catalog.catalog import Expectation


class MountResult(t.NamedTuple):
    """One mount: ``reloaded`` is None where that is unknown; ``error`` is why it is not well.

    ``after`` is None where it could not be inspected after the reload.  ``health`` is that in the
    end, and ``was`` that before, where it was asked for.
    """

    before: Mount
    after: Mount | None
    reloaded: bool | None
    error: str | None = None
    health: Health = UNKNOWN_HEALTH
    was: Health = UNKNOWN_HEALTH

    @property
    def was_down(self) -> bool:
        """Whether the plugin was known not to answer before."""
        return self.was.alive is False

    @property
    def down(self) -> bool:
        """Whether the plugin is known not to answer."""
        return self.health.alive is False

    @property
    def being_removed(self) -> bool:
        """Whether the mount is being removed, so that no reload makes it answer."""
        return is_being_removed(self.error or "")

    @property
    def failed(self) -> bool:
        """Whether it is not well, and no mount that is being removed."""
        return self.error is not None and not self.being_removed

    @property
    def gone(self) -> bool:
        """Whether it was disabled or moved meanwhile."""
        return self.after is None and self.health == GONE

    @property
    def touched(self) -> bool:
        """Whether it is known to have been reloaded, or stopped by a reload."""
        return bool(self.reloaded) or (self.down and self.failed and not self.stayed_down)

    @property
    def stayed_down(self) -> bool:
        """Whether no plugin was left before that a failed reload could have stopped."""
        # After a failed reload, OpenBao 2.6 tells no file that runs, and tries one at each request.
        lost = self.was.lost_plugin or not self.before.running_sha256
        return self.was_down and lost and self.down and self.reloaded is False

    @property
    def runs_now(self) -> str:
        """What runs in the end, as far as it is known; in check mode what would run."""
        # One that is down, and reloaded, is a prediction of check mode.
        if self.down and not self.reloaded:
            return "down"
        doubtful = self.failed and self.health.alive is None
        return "unknown" if self.after is None or doubtful else str(self.after.running)

    @property
    def runs_another(self) -> bool:
        """Whether it is known to run something else than before."""
        return (
            self.after is not None
            and not self.replaced
            and self.after.running != self.before.running
        )

    @property
    def replaced(self) -> bool:
        """Whether another mount is there now: it was disabled and enabled meanwhile."""
        return self.after is not None and self.after.accessor != self.before.accessor


def left_alone(mount: Mount, health: Health = UNKNOWN_HEALTH) -> MountResult:
    """Return the result of a mount for which nothing was sent; ``health`` is as far as known."""
    error = does_not_answer(health) if health.alive is False else None
    return MountResult(mount, mount, reloaded=False, error=error, health=health, was=health)


def predicted(
    mount: Mount, expectation: Expectation, health: Health = UNKNOWN_HEALTH
) -> MountResult:
    """Return what a reload is expected to do, as far as that is known; ``health`` is before it."""
    entry, after = expectation.entry, mount
    if entry is not None:
        after = mount._replace(running_version=entry.version, running_sha256=entry.sha256)
    error = does_not_answer(health) if health.alive is False else None
    return MountResult(mount, after, True, error, health, was=health)


def does_not_answer(health: Health) -> str:
    """Return the error of a mount whose plugin is down."""
    return f"does not answer: {health.reason}"


def does_not_answer_probe(health: Health) -> str:
    """Return the error of a mount whose plugin answers, but not at the path of the probe."""
    return f"answers, but not the probe: {health.reason}"


def is_stale(mount: Mount, expectation: Expectation, health: Health) -> bool:
    """Tell whether ``mount`` needs a reload: it runs something else than expected, or is down."""
    return health.alive is False or expectation.is_met_by(mount) is False


def evaluate(
    answer: ReloadAnswer, before: Mount, after: Mount | None, health: Health
) -> MountResult:
    """Return the result of one mount, inspected again and with a health check after a reload."""
    error = answer.failed.get(before.path)
    if error is not None and health.alive:
        error = f"{error}; the mount still serves {(after or before).running}"
    elif error is not None and health.alive is False and not answer.left_down(before.path):
        error = f"{error}; the mount {does_not_answer(health)}"
    elif error is None and health.alive is False:
        error = does_not_answer(health)
    result = MountResult(before, after, answer.was_reloaded(before.path), error, health)
    if error is not None:
        return result._replace(reloaded=False)
    if health.probe_failed:
        result = result._replace(error=does_not_answer_probe(health))
    if result.reloaded is None and result.runs_another and after and after.says_what_runs:
        return result._replace(reloaded=True)
    return result


def unverified_reason(result: MountResult, expectation: Expectation) -> str | None:
    """Return why it is not certain that a mount runs what is expected, None where it is."""
    mount, after = f'mount "{result.before.path}"', result.after
    if result.error is not None:
        return None  # it failed: that is certain
    if result.health.probe_failed:
        return f"{mount} {does_not_answer_probe(result.health)}"
    if result.reloaded is False:
        # It was left alone; whether it answers may be unknown all the same.
        asked = result.health.alive is None and result.health.reason
        return f"{mount} could not be verified: {result.health.reason}" if asked else None
    if after is None or (result.health.alive is None and result.health.wanted):
        return f"{mount} could not be verified: {result.health.reason}"
    if after.plugin != result.before.plugin:
        plugins = f'"{after.plugin}", before "{result.before.plugin}"'
        return f"{mount} runs plugin {plugins}: it was disabled and enabled meanwhile"
    if expectation.is_met_by(after) is False:
        expected = expectation.entry.running if expectation.entry else "nothing in the catalog"
        return f"{mount} runs {after.running}, where {expected} is expected"
    return None
