"""Structure of the tests: shared helpers are in tests/support, and every benchmark can be imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.bench.__main__ import BENCHES
from tests.support.running import PATIENCE

TESTS = Path(__file__).parents[1]


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_test_imports_a_test() -> None:
    """Nor a benchmark or a conftest: shared code would change with one of its users."""
    own = ("test_", "bench_", "conftest")
    found = [
        f"{path.relative_to(TESTS)} imports {module}"
        for path in TESTS.rglob("*.py")
        for module in imported(path)
        if module.startswith("tests.") and module.rpartition(".")[2].startswith(own)
    ]
    assert found == []


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_has_its_libraries_and_helpers(name: str) -> None:
    """The benchmarks are not run here."""
    if name == "matching":
        pytest.importorskip("hassil", reason="the benchmark's own libraries are not installed")
    assert import_module(f"tests.bench.bench_{name}")


def test_the_benchmarks_are_listed() -> None:
    """In the error for an unknown one."""
    command = [sys.executable, "-m", "tests.bench", "nothing"]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert all(name in done.stderr for name in BENCHES)
