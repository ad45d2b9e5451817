# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "nox>=2026.10,<2027",
#   "antsibull-nox>=1.10,<2",
#   "pip>=25,<27",
#   "uv>=0.13,<1",
# ]
# ///
"""All that is run on this collection: `python3 noxfile.py` runs what is marked with a star."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

sys.path.insert(0, str(Path(__file__).parent))

from tests.support import nox_bootstrap

if __name__ == "__main__":
    nox_bootstrap.ensure_requirements(Path(__file__).resolve())

import antsibull_nox
import nox

from tests.benchmarks import peers
from tests.support import (
    ansible_test_seed,
    bare_debian,
    locked,
    manual,
    openbao,
    ordinary_user,
    products,
    pythons,
    reference,
    release,
    reliability,
    session_times,
    side_by_side,
    tested,
    trust_options,
    uv_settings,
)

os.environ["HOME"] = os.environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
os.environ["PATH"] = pythons.path_behind_shims(os.environ["PATH"])
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each worker would compile all tests anew
os.environ["ANTSIBULL_NOX_IGNORE_INSTALLED_COLLECTIONS"] = "true"
uv_settings.apply()
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
# But for those that need the machine for themselves, or write into the checkout.
nox.options.allow_parallel = True
nox.options.envdir = f".nox/{pythons.RUNNING}"  # a reused environment keeps the Python it has

CODE = ("noxfile.py", "plugins", "tests")
SERVERS = ("-r", "requirements.txt", "-r", "tests/support/requirements.txt")
PYTEST = ("pytest", "-n", "4", "--dist", "loadgroup")  # many tests wait for a server
PYTEST_OF_TRUST = ("pytest", "-n", "3", "--dist", "loadgroup")
QUICK = ("-m", "not slow and not each_core and not extra_server")
QUICK_OR_EACH_USER = ("-m", "not slow and not extra_server and (not each_core or each_user)")
# The parts of each module, and each module on a real server.
FAST = ("test_main_job", "test_failures", "test_recorded", "test_first_contact", "test_plugin*")
RUFF = "ruff>=0.17,<0.18"
DOCS = "antsibull-docs>=2.28,<2.29"  # simplified-rst may look different in the next release
HVAC = "hvac>=2.3,<3"  # the library of community.hashi_vault
REUSE = "reuse[charset-normalizer]>=6.2,<7"
PROSE = "codespell>=2.4,<3"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"
SCHEMAS = "check-jsonschema>=0.35,<1"
CHANGELOG = "antsibull-changelog>=0.36,<0.37"
READ = (
    "README.md",
    "CONTRIBUTING.md",
    "docs",
    "changelogs",
    "plugins",
    "roles",
    "playbooks",
    ".github",
)
FOR_GITHUB = {
    "github-workflows": "workflows/*.yml",
    "github-issue-forms": "ISSUE_TEMPLATE/[!c]*.yml",
    "github-issue-config": "ISSUE_TEMPLATE/config.yml",
}
# The newest release is what tests/support/openbao.py installs.
OLDEST_OPENBAO = "2.6.1"
OLDER_OPENBAO = (OLDEST_OPENBAO, "2.6.2", "2.7.0", "2.7.1")
# Those whose standbys follow in ways of their own: see docs/cluster.md.
OLD_CLUSTERS = (OLDEST_OPENBAO, "2.7.1")
# What full runs note for docs/tested.md.
NOTES = Path(__file__).parent / ".nox" / "tested"
# What the tests of trust note for docs/reliability.md.
RELIABILITY = Path(__file__).parent / ".nox" / "reliability"
SBOM = Path(__file__).parent / ".nox" / "sbom"
# Held by a session of tests: two of them would be too much for the machine.
TESTS_RUN = Path(__file__).parent / ".nox" / "tests.lock"
# What makes it reads, of what is installed, what the collection needs.
SBOM_MAKER = ("cyclonedx-python-lib[json-validation]>=11,<12", "-r", "requirements.txt")
OLDEST_CORE = pythons.oldest_core()
DEFAULT_CORES = {OLDEST_CORE, pythons.newest_core()}
# The oldest ansible-core and the oldest OpenBao in one session, where a Python runs that core.
OLDEST_TOGETHER = len(DEFAULT_CORES) == 2 and pythons.python_for(OLDEST_CORE) is not None
# They run as a user who is not root, where root runs the others.
OLDEST_AS_USER = OLDEST_TOGETHER and not ordinary_user.reason_to_skip(OLDEST_CORE)


def run_with_server(
    session: nox.Session,
    *command: str,
    version: str = "",
    log: bool = True,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a program that starts OpenBao, by default the newest; what follows -- goes to it."""
    if openbao.is_missing(version):
        session.log("downloading the server once: 75 MB")
    environment = {openbao.VARIABLE: str(openbao.binary(version)), **noting(session), **more}
    # After Ctrl-C it ends its servers.
    session.run(*command, *session.posargs, env=environment, log=log, interrupt_timeout=20)


def noting(session: nox.Session) -> dict[str, str]:
    """Return the variable that makes a run leave a note for docs/tested.md, if it is a full one."""
    if session.posargs:
        return {}
    return {
        tested.VARIABLE: tested.fresh_folder(NOTES / session.name),
        trust_options.FOLDER_VARIABLE: str(RELIABILITY / session.name),
    }


def run_demo(session: nox.Session, module: str) -> None:
    """Run a demo; pip's and its own command line are nothing that a newcomer has to read."""
    session.install(pythons.core_for_this_python(), *SERVERS, log=False)
    run_with_server(session, "python", "-u", "-m", module, log=False)


@nox.session(default=False, allow_parallel=False)
def demo(session: nox.Session) -> None:
    """Reload a plugin on an embedded OpenBao server, and show what happens."""
    run_demo(session, "tests.support.demo")


@nox.session(name="demo-upgrade", default=False, allow_parallel=False)
def demo_upgrade(session: nox.Session) -> None:
    """Roll a plugin out to three real nodes, a good version and a broken one, and show it."""
    run_demo(session, "tests.support.demo_upgrade")


@nox.session(default=False, allow_parallel=False)
def fast(session: nox.Session) -> None:
    """Run a choice of the quick tests in a minute; what follows -- chooses among all of them."""
    session.install(*locked.requirements_for(pythons.RUNNING))
    files = [str(file) for name in FAST for file in Path("tests/integration").glob(f"{name}.py")]
    chosen = [] if session.posargs else ["tests/unit", *files]
    run_with_server(session, *PYTEST, *QUICK, *chosen)


@nox.session(default=False, allow_parallel=False)
def bench(session: nox.Session) -> None:
    """Measure what a task costs beside its peers (10 minutes); `-- --full` takes much longer."""
    session.log("the first run downloads a peer: 50 MB")
    session.install(pythons.core_for_this_python(), *SERVERS, HVAC)
    peers = str(session.cache_dir / "peers")
    run_with_server(session, "python", "-m", "tests.benchmarks.bench", "--peers", peers)


@nox.session(default=False, tags=["matrix"], allow_parallel=False)
def moving(session: nox.Session) -> None:
    """Run both sides of docs/moving, those of community.hashi_vault too: 50 MB once."""
    session.install(*locked.requirements_for(pythons.RUNNING))
    session.install(HVAC)
    if not (path := peers.collections_path(Path(session.cache_dir, "peers"))):
        session.skip(f"{peers.WHEEL}, which has the collection, cannot be downloaded")
    chosen = ("pytest", "tests/integration/test_moving.py", "-rs")
    run_with_server(session, *chosen, more={peers.VARIABLE: str(path)})


@nox.session(name="ordinary-user", python=False, default=not OLDEST_AS_USER)
def ordinary_user_tests(session: nox.Session) -> None:
    """Run the quick tests, where root runs the others, as a user who is not root."""
    if reason := ordinary_user.reason_to_skip():
        session.skip(reason)
    run_as_ordinary_user(session, *QUICK_OR_EACH_USER, server=openbao.binary())


def run_as_ordinary_user(
    session: nox.Session,
    *chosen: str,
    server: Path,
    core: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run pytest as a user who is not root; ``more`` are the paths of files that it needs."""
    with ordinary_user.prepared(core=core) as place, contextlib.ExitStack() as kept:
        files = {openbao.VARIABLE: str(server), **more}
        environment = {name: place.with_file(Path(file)) for name, file in files.items()}
        for name, folder in noting(session).items():
            environment[name] = kept.enter_context(place.with_folder(folder))
        place.collect(session)
        with side_by_side.one_at_a_time(TESTS_RUN):
            place.run(session, *PYTEST, *chosen, *session.posargs, **environment)


def vault_environment(session: nox.Session) -> dict[str, str]:
    """Return the environment of tests on Vault; skips the session where there is none."""
    if not (binary := products.vault_binary()):
        session.skip(f"{products.VAULT_VARIABLE} names no vault binary, and no registry has one")
    return {
        products.PRODUCT_VARIABLE: "Vault",
        products.VAULT_VARIABLE: binary,
        **noting(session),
    }


@nox.session(default=False, tags=["matrix"], allow_parallel=False)
def vault(session: nox.Session) -> None:
    """Run the integration tests on the Vault that VAULTOPS_TEST_VAULT names."""
    environment = vault_environment(session)
    session.install(*locked.requirements_for(pythons.RUNNING))
    chosen = ("-m", "not extra_server", "tests/integration")
    session.run(*PYTEST, *chosen, *session.posargs, env=environment)


def all_of_trust(session: nox.Session) -> dict[str, str]:
    """Return the environment in which the tests of trust try all, and say how to repeat it."""
    seed = os.environ.get(trust_options.SEED_VARIABLE) or str(trust_options.DEFAULT_SEED)
    session.log(f"seed {seed}: repeat with {trust_options.SEED_VARIABLE}={seed}")
    return {trust_options.FULL_VARIABLE: "1", trust_options.SEED_VARIABLE: seed}


@nox.session(default=False, allow_parallel=False)
def trust(session: nox.Session) -> None:
    """Try all faults, hostile answers, accidents (an hour); $VAULTOPS_TEST_SEED chooses others."""
    session.install(*locked.requirements_for(pythons.RUNNING))
    whole = all_of_trust(session)
    run_with_server(session, *PYTEST_OF_TRUST, *trust_options.FILES, more=whole)


@nox.session(name="trust-vault", default=False, allow_parallel=False)
def trust_vault(session: nox.Session) -> None:
    """Try all faults on the Vault that VAULTOPS_TEST_VAULT names."""
    environment = {**vault_environment(session), **all_of_trust(session)}
    session.install(*locked.requirements_for(pythons.RUNNING))
    session.run(*PYTEST_OF_TRUST, trust_options.FILES[-1], env=environment)


def build_tarball(session: nox.Session, folder: Path) -> Path:
    """Build the collection into ``folder``, and nothing else is in it then; return the file."""
    shutil.rmtree(folder, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    (tarball,) = folder.glob("*.tar.gz")
    return tarball


@nox.session(default=False)
def sbom(session: nox.Session) -> None:
    """Write the CycloneDX SBOM of the release, and check the licences of what it needs."""
    session.install(*SBOM_MAKER, pythons.core_for_this_python())
    tarball = build_tarball(session, SBOM)
    made = str(tarball.with_suffix("").with_suffix(".cdx.json"))
    session.run("python", "-m", "tests.support.sbom", str(tarball), made)


@nox.session(default=False, allow_parallel=False)
def lock(session: nox.Session) -> None:
    """Write which files the tests are run with: tests/locked, the newest releases, by hash."""
    session.install("uv>=0.9,<1")
    for core in pythons.CORES:
        locked.lock(core, str(Path(session.bin, "uv")))


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities of what runs and tests the collection."""
    session.install("pip-audit>=2.10,<3")
    session.install(*locked.requirements_for(pythons.RUNNING))
    session.run("python", "-m", "tests.support.audit")


def add_tests(core: str) -> None:
    """Add the session that runs the unit and integration tests on a release of ansible-core."""

    def tests(session: nox.Session) -> None:
        # The role moves a cluster to a new version, which the oldest OpenBao does not do.
        clusters = {openbao.CLUSTER_VARIABLE: str(openbao.binary())}
        if as_user:
            server = openbao.binary(version)
            run_as_ordinary_user(session, *chosen, server=server, core=core, more=clusters)
            return
        session.install(*locked.requirements(core))
        session.run(*ordinary_user.COLLECT, silent=True)
        with side_by_side.one_at_a_time(TESTS_RUN):
            run_with_server(session, *PYTEST, *chosen, version=version, more=clusters)

    # What servers do takes long to show, and does not depend on ansible-core.
    quick = "not slow and not long" if core == OLDEST_CORE else "not slow"
    chosen: tuple[str, ...] = ("-n", "6", "-m", quick)
    if core == pythons.newest_core():
        # Three workers begin with a wait of two minutes there, and two have the clusters.
        chosen = ("-n", "8")
    version = OLDEST_OPENBAO if core == OLDEST_CORE and OLDEST_TOGETHER else ""
    as_user = core == OLDEST_CORE and OLDEST_AS_USER
    how = f"{', and OpenBao ' if version else ''}{version}{', not as root' if as_user else ''}"
    tests.__doc__ = f"Run the unit and integration tests on ansible-core {core}{how}."
    nox.session(
        name=f"tests-{core}",
        python=False if as_user else str(pythons.python_for(core)),
        default=core in DEFAULT_CORES,
        tags=["matrix"],
    )(tests)


def add_long_tests(core: str) -> None:
    """Add the session of what the default run has with the newest ansible-core only."""

    def tests(session: nox.Session) -> None:
        session.install(*locked.requirements(core))
        run_with_server(session, *PYTEST, "-m", "long")

    tests.__doc__ = f"Run what takes long and depends on ansible-core on ansible-core {core}."
    nox.session(
        name=f"tests-{core}-long",
        python=str(pythons.python_for(core)),
        default=False,
        tags=["matrix"],
        allow_parallel=False,
    )(tests)


def add_openbao_tests(name: str, version: str, what: str, *chosen: str) -> None:
    """Add the session that runs ``what``, the tests ``chosen``, on a release of OpenBao."""

    def tests(session: nox.Session) -> None:
        session.install(*locked.requirements_for(pythons.RUNNING))
        with side_by_side.one_at_a_time(TESTS_RUN):
            run_with_server(session, *PYTEST, *chosen, "tests/integration", version=version)

    tests.__doc__ = f"Run {what} on OpenBao {version}."
    nox.session(
        name=name,
        default=name == f"openbao-{OLDEST_OPENBAO}" and not OLDEST_TOGETHER,
        tags=["matrix"],
    )(tests)


@nox.session(name="extra-servers", default=False, tags=["matrix"], allow_parallel=False)
def extra_servers(session: nox.Session) -> None:
    """Run the logins that need Debian's slapd and freeradius; skipped where they are not there."""
    session.install(*locked.requirements_for(pythons.RUNNING))
    # Later ones have no ldap and radius built in.
    run_with_server(session, *PYTEST, "-m", "extra_server", version=OLDEST_OPENBAO)


def add_ansible_test(
    name: str,
    what: str,
    core: str,
    *params: str,
    default: bool = False,
    prepare: Callable[[str], None] = ansible_test_seed.seed_get_pip,
) -> None:
    """Add a session of ansible-test, in its own environments; ``prepare`` takes the core."""
    antsibull_nox.add_ansible_test_session(
        name=name,
        description=f"Run {what}.",
        ansible_test_params=[params[0], "--color", "no", "--venv", *params[1:]],
        default=default,
        ansible_core_version=core,
        ansible_core_source="pypi",
        callback_before=partial(prepare, core),
        callback_after=ansible_test_seed.remove_venvs,
    )
    nox.registry.get()[name].tags.append("matrix")


def add_sanity(core: str) -> None:
    """Add the session that runs the sanity tests of a release of ansible-core."""
    what = f"the sanity tests of ansible-core {core} on each Python here"
    # The rules are much the same in each release, and take each two minutes.
    name, default = f"ansible-test-sanity-{core}", core == pythons.newest_core()
    add_ansible_test(name, what, core, "sanity", default=default)


def prepare_integration(core: str) -> None:
    """Tell the targets of tests/integration, in ansible-test's copy, which server to start."""
    ansible_test_seed.seed_get_pip(core)
    settings = f"quick_reload_binary: {openbao.binary()}\n"
    Path("tests/integration/integration_config.yml").write_text(settings, encoding="utf-8")


def add_integration(core: str) -> None:
    """Add the session that runs the targets of tests/integration in ansible-test's own venv."""
    what = f"the integration targets of ansible-test on ansible-core {core}"
    params = ("integration", "--allow-unsupported", "--python", "default", "quick_reload")
    add_ansible_test("ansible-test-integration", what, core, *params, prepare=prepare_integration)


def prepare_units(core: str) -> None:
    """Give ansible-test's copy the one file of requirements that ansible-test reads."""
    ansible_test_seed.seed_get_pip(core)
    texts = [Path(file).read_text(encoding="utf-8") for file in locked.SOURCES]
    Path("tests/unit/requirements.txt").write_text("\n".join(texts), encoding="utf-8")


def add_units(core: str) -> None:
    """Add the session that runs the unit tests in ansible-test's own venv."""
    # Ansible's programs are not in that venv, and one compares a start of them; ansible-test knows
    # no marker of ours, and the other has one.
    without = {"test_warm_ansible.py", "test_growth.py"}
    tests = sorted(Path("tests/unit").glob("test_*.py"))
    chosen = [str(path) for path in tests if path.name not in without]
    what = f"the unit tests by ansible-test on ansible-core {core}"
    params = ("units", "--python", "default", *chosen)
    add_ansible_test("ansible-test-units", what, core, *params, prepare=prepare_units)


def add_skipped(name: str, core: str, *, default: bool = False) -> None:
    """Add a session that cannot run here, and says why."""
    reason = f"ansible-core {core} runs on Python {', '.join(pythons.CORES[core])}: none is here"

    def skipped(session: nox.Session) -> None:
        session.skip(reason)

    skipped.__doc__ = f"Not on this machine: {reason}."
    nox.session(name=name, python=False, default=default, tags=["matrix"])(skipped)


# First: one test after the other takes as long as all others beside each other.
for a_core in pythons.CORES:
    if pythons.python_for(a_core):
        add_sanity(a_core)
    else:
        add_skipped(f"ansible-test-sanity-{a_core}", a_core)

antsibull_nox.load_antsibull_nox_toml()


@nox.session
def formatters(session: nox.Session) -> None:
    """Check how the code is laid out; `-s format` repairs it."""
    session.install(RUFF)
    session.run("ruff", "format", "--diff", *CODE)


@nox.session(name="format", default=False, allow_parallel=False)
def format_code(session: nox.Session) -> None:
    """Lay out the code, and sort its imports."""
    session.install(RUFF)
    session.run("ruff", "check", "--fix-only", "--select", "I,RUF022", *CODE)
    session.run("ruff", "format", *CODE)


@nox.session
def reuse(session: nox.Session) -> None:
    """Check with REUSE that each file names its licence; license-check knows more of Ansible."""
    session.install(REUSE)
    # A copy: it fails on a cache that a session beside it writes, or renames, while it looks.
    with tempfile.TemporaryDirectory(prefix="vaultops-") as folder:
        ordinary_user.copy_checkout(Path(folder))
        session.run("reuse", "--root", folder, "lint")


@nox.session
def changelog(session: nox.Session) -> None:
    """Check the changelog and its fragments."""
    session.install(CHANGELOG)
    session.run("antsibull-changelog", "lint")


@nox.session(name="tested", python=False, default=False, allow_parallel=False)
def write_tested(session: nox.Session) -> None:
    """Write what the last full runs noted of servers and counts into docs/tested.md."""
    runs = tested.noted_runs(NOTES)
    if not runs:
        session.skip("no full run has left a note: run a session of tests first")
    changed = [*tested.write(runs), *reliability.write(RELIABILITY)]
    session.log(f"changed: {', '.join(changed) or 'nothing'}")


@nox.session(default=False, allow_parallel=False)
def schema(session: nox.Session) -> None:
    """Write docs/argument_specs.schema.json from the modules' argument specs."""
    session.install(pythons.core_for_this_python(), "-r", "requirements.txt")
    target = Path("docs/argument_specs.schema.json").resolve()
    with session.chdir(reference.tree(session)):
        module = "ansible_collections.vaultops.vault.tests.support.schema"
        session.run("python", "-m", module, str(target))


@nox.session(name="docs-build", default=False, allow_parallel=False)
def docs_build(session: nox.Session) -> None:
    """Build the module reference, docs/reference, from the modules' documentation."""
    session.install(DOCS, pythons.core_for_this_python(), "-r", "requirements.txt")
    reference.build(session, reference.REFERENCE)


@nox.session(default=False, tags=["matrix"])
def docs(session: nox.Session) -> None:
    """Build the manual in HTML, .nox/manual/html, from docs/."""
    session.install(*manual.REQUIREMENTS)
    manual.build(session)


@nox.session(name="docs-browser", default=False, tags=["matrix"], allow_parallel=False)
def docs_browser(session: nox.Session) -> None:
    """Build the manual, and look at each page in Debian's chromium: minutes."""
    session.install(pythons.core_for_this_python(), *locked.RANGES, *manual.REQUIREMENTS)
    manual.build(session)
    pages = {manual.VARIABLE: str(manual.MANUAL / "html")}
    session.run("pytest", "-n", "2", "tests/browser", *session.posargs, env=pages)


@nox.session
def prose(session: nox.Session) -> None:
    """Check the spelling of what people read."""
    session.install(PROSE)
    # README shows the message for a mount whose name is misspelled.
    # Sessions beside this one write caches while it looks.
    session.run(
        "codespell", "--ignore-words-list", "wether", "--skip", "*/__pycache__,*.pyc", *READ
    )


@nox.session
def workflows(session: nox.Session) -> None:
    """Check GitHub's workflows and issue templates against their schemas."""
    session.install(SCHEMAS)
    for schema, files in FOR_GITHUB.items():
        found = [str(path) for path in sorted(Path(".github").glob(files))]
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *found)


@nox.session(python=False, default=False, tags=["matrix"])
def actionlint(session: nox.Session) -> None:
    """Check GitHub's workflows with actionlint, where Go is installed."""
    if not shutil.which("go"):
        session.skip("no go here: its package on PyPI would need GitHub while it is installed")
    kept = Path(".nox/go").resolve()
    places = {"GOPATH": str(kept), "GOCACHE": str(kept / "cache"), "GOFLAGS": "-modcacherw"}
    session.run("go", "run", ACTIONLINT, external=True, env=places)


@nox.session(name="release", default=False, allow_parallel=False)
def make_release(session: nox.Session) -> None:
    """Make the files of a release, -- VERSION, and try them: .nox/release/VERSION."""
    version = " ".join(session.posargs)
    if not release.VERSION.fullmatch(version):
        session.error("give the version: python3 noxfile.py -s release -- 1.2.3")
    needed = (CHANGELOG, *SERVERS, *manual.REQUIREMENTS, *SBOM_MAKER)
    session.install(pythons.core_for_this_python(), *needed)
    tarball = release.make(session, version)
    first_steps = ("python", "-m", "tests.support.first_steps")
    if ordinary_user.reason_to_skip():
        run = {openbao.VARIABLE: str(openbao.binary())}
        session.run(*first_steps, str(tarball), env=run)
    else:
        with ordinary_user.prepared(*SERVERS) as place:
            run = {openbao.VARIABLE: place.with_file(openbao.binary())}
            place.run(session, *first_steps, place.with_file(tarball), **run)
    session.log(f"made: {', '.join(sorted(path.name for path in tarball.parent.iterdir()))}")


@nox.session(default=False, allow_parallel=False)
def debian(session: nox.Session) -> None:
    """Take the first steps on a bare Debian 12 and 13, as root here and an ordinary user there."""
    if reason := bare_debian.reason_to_skip():
        session.skip(reason)
    session.install(pythons.core_for_this_python())
    tarball = build_tarball(session, Path(session.create_tmp()).resolve())
    for suite in session.posargs or bare_debian.SUITES:
        session.log(f"Debian {suite}")
        bare_debian.first_steps(session, suite, tarball)


@nox.session(name="docs-fresh")
def docs_fresh(session: nox.Session) -> None:
    """Check that docs/reference is what `-s docs-build` makes."""
    session.install(DOCS, pythons.core_for_this_python(), "-r", "requirements.txt")
    made = Path(session.create_tmp()) / "reference"
    reference.build(session, made)
    if difference := reference.differences(reference.REFERENCE, made):
        session.log("".join(difference[:50]))
        session.error("docs/reference is stale: run python3 noxfile.py -s docs-build")


# Last: they take long, and what is quick runs beside others before.
for a_core in pythons.CORES:
    if pythons.python_for(a_core):
        add_tests(a_core)
        if a_core == OLDEST_CORE:
            add_long_tests(a_core)
    else:
        add_skipped(f"tests-{a_core}", a_core, default=a_core in DEFAULT_CORES)

add_integration(pythons.newest_core())
add_units(pythons.newest_core())

for an_openbao in OLDER_OPENBAO:
    add_openbao_tests(f"openbao-{an_openbao}", an_openbao, "the quick integration tests", *QUICK)

for an_openbao in OLD_CLUSTERS:
    name = f"cluster-{an_openbao}"
    add_openbao_tests(name, an_openbao, "the long tests that depend on it", "-m", "each_openbao")


if __name__ == "__main__":
    # One more than there are cores: the sanity tests and one that waits for servers leave gaps.
    side_by_side_sessions = str((os.cpu_count() or 1) + 1)
    session_times.main(*([] if sys.argv[1:] else ["--parallel", side_by_side_sessions]))
