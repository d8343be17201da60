"""The lock files of the image: what pyproject.toml requires, with version and hash, from no fixed index."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
EXTRAS = ("postgres", "regex-rules")
WANTED = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
WANTED += [Requirement(line) for extra in EXTRAS for line in PROJECT["project"]["optional-dependencies"][extra]]
BUILD = [Requirement(line) for line in PROJECT["build-system"]["requires"]]
_ENTRY = re.compile(
    r"^([\w.-]+)==(\S+)(?: ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def locked(name: str) -> dict[str, str]:
    """Return the versions by name; every line of the file is a version, a hash or a comment."""
    text = (ROOT / ".ci" / name).read_text("utf-8")
    rest = re.sub(r"^ *#.*\n", "", _ENTRY.sub("", text), flags=re.MULTILINE)
    assert rest.strip() == ""
    return {canonicalize_name(match[1]): match[2] for match in _ENTRY.finditer(text)}


@pytest.mark.parametrize(
    ("wanted", "versions"), [(WANTED, locked("requirements.lock")), (BUILD, locked("build.lock"))], ids=["run", "build"]
)
def test_the_lock_fits_the_requirements(wanted: list[Requirement], versions: dict[str, str]) -> None:
    """If this fails after a change of pyproject.toml, run .ci/lock."""
    for requirement in wanted:
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_the_image_is_built_from_the_locks_alone() -> None:
    """Hashes are required, nothing is fetched for the build itself, and the extras are the locked ones."""
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel) [^\n]*", DOCKERFILE)
    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install
    script = (ROOT / ".ci" / "lock").read_text("utf-8")
    [version] = re.findall(r"^ARG BASE=python:([0-9.]+)-", DOCKERFILE, re.MULTILINE)
    assert f"--python-version {version} " in script
    assert re.findall(r"--extra (\S+)", script) == list(EXTRAS)


def test_dockerignore_allows_only_what_the_image_copies() -> None:
    """A key or a database beside them never gets into an image."""
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert {re.sub(r"^\.ci/.*\.lock$", ".ci/*.lock", source) for source in sources} == let_in
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_runs_unprivileged_and_receives_signals() -> None:
    """With a numeric user that is not root; signals go to the bot and not to a shell."""
    user = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert int(user) > 0
    assert re.search(r'^CMD \["bot", "serve"\]$', DOCKERFILE, re.MULTILINE)
    assert re.search(r"^STOPSIGNAL SIGTERM$", DOCKERFILE, re.MULTILINE)


def test_the_bundled_editor_fits_its_lock() -> None:
    """After an update of .ci/editor/package-lock.json, the bundle must be built again."""
    lock = json.loads((ROOT / ".ci/editor/package-lock.json").read_text("utf-8"))
    locked = {path.removeprefix("node_modules/"): package.get("version") for path, package in lock["packages"].items()}
    bundle = (ROOT / "bot/web/static/codemirror.js").read_text("utf-8")
    bundled = dict(re.findall(r"^(\S+) (\d[\w.-]+) \(MIT\)$", bundle.partition("*/")[0], re.MULTILINE))
    assert bundled
    assert {name: locked[name] for name in bundled} == bundled
