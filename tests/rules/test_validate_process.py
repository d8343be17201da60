"""Large rules files are validated in a subprocess, with the same result."""

from __future__ import annotations

import gc
import sys
from datetime import date
from pathlib import Path

import pytest

from bot.rules.engine import RuleSet, rank
from bot.rules.reload import RulesReloader
from bot.rules.validate import validate
from bot.rules.validate_process import LARGE_BYTES, validate_aside
from tests.support.local_images import jpeg

TODAY = date(2027, 1, 25)
SEVERAL = """\
version: 1
rules:
  - {id: ma, pattern: '\\bkm ?[0-9]+\\b', reply: {image_url: "https://a.example/km.jpg"}}
  - {id: tet, keywords: [menu], all_of: [[tết, tet], [giảm giá]], reply: {file: tet.jpg}}
  - {id: gia, keywords: [giá], exclude: [đánh giá], reply: {image_url: "https://a.example/gia.jpg"}}
  - {id: mot, keywords: [{text: hi, match: exact}], enabled: false, reply: {image_url: "https://a.example/hi.jpg"}}
"""
RULE = '  - {{id: r{n}, keywords: [chữ r{n}], reply: {{image_url: "https://a.example/{n}.jpg"}}}}\n'
LARGE = (SEVERAL + "".join(RULE.format(n=n) for n in range(600))).encode()
ASKED = (
    "KM 50",
    "menu tết giảm giá",
    "gia bao nhieu",
    "mình muốn đánh giá",
    "hi",
    "có chữ r599 ko",
    "chu r77",
    "xin chào",
)


class NothingKept:
    """A store without former rules."""

    def last_good_rules(self) -> bytes | None:
        """Return none."""
        return None

    def keep_good_rules(self, digest: str, content: bytes) -> None:
        """Keep nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the rules file."""
    (tmp_path / "tet.jpg").write_bytes(jpeg())
    return tmp_path


def decisions(rules: RuleSet | None) -> list[object]:
    assert rules is not None
    return [rank(rules, text) for text in ASKED]


def test_the_result_is_that_of_validating_here(folder: Path) -> None:
    assert len(LARGE) > LARGE_BYTES
    aside, here = validate_aside(LARGE, today=TODAY, folder=folder), validate(LARGE, today=TODAY, folder=folder)
    assert decisions(aside.rules) == decisions(here.rules)
    assert (aside.problems, aside.rule_lines, aside.image_files) == (here.problems, here.rule_lines, here.image_files)
    assert aside.rules is not None
    assert aside.rules.digests.keys() == {"tet.jpg"}


def test_large_rules_are_not_scanned_for_garbage_and_are_freed_nevertheless(folder: Path) -> None:
    """A full collection would stop all threads, and frozen objects are freed only if they have no reference cycle."""
    validate_aside(LARGE, today=TODAY, folder=folder)
    before = gc.get_freeze_count()
    result = validate_aside(LARGE, today=TODAY, folder=folder)
    frozen = gc.get_freeze_count() - before
    assert frozen > 600
    assert result.rules is not None
    del result
    assert gc.get_freeze_count() - before < frozen / 10


def test_errors_of_a_large_file_are_found(folder: Path) -> None:
    broken = LARGE + b"  - {id: r1, keywords: [x], reply: {}}\n"
    assert (
        validate_aside(broken, today=TODAY, folder=folder).problems
        == validate(broken, today=TODAY, folder=folder).problems
    )


def test_without_subprocesses_it_is_validated_in_this_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the machine has no process left."""
    monkeypatch.setattr(sys, "executable", str(folder / "no-python"))
    assert validate_aside(LARGE, today=TODAY, folder=folder).rules is not None


def test_a_large_file_is_loaded_after_it_was_saved(folder: Path) -> None:
    path = folder / "rules.yaml"
    path.write_text(SEVERAL, encoding="utf-8")
    reloader = RulesReloader(path, NothingKept())
    reloader.load()
    path.write_bytes(LARGE)
    reloader.poll()
    reloader.poll()
    assert len(reloader.rules.file.rules) == 604
    assert reloader.error == ""
