"""``python -m tests.bench [NAME…]``: run the benchmarks, or those named, and print their tables as Markdown."""

from __future__ import annotations

import argparse
import ast
import os
import platform
import sys
import time
from pathlib import Path

import pytest

#: By the name of its file without `bench_`; in the order in which an event meets what they measure.
_FIRST = ("start", "ack", "matching", "delivery")
_FOUND = {path.stem.removeprefix("bench_"): path for path in sorted(Path(__file__).parent.glob("bench_*.py"))}
BENCHES = {name: _FOUND[name] for name in (*_FIRST, *sorted(_FOUND.keys() - set(_FIRST)))}


def main(arguments: list[str]) -> int:
    """Run them one after the other, for they share the machine; return pytest's exit status."""
    options = _parser().parse_args(arguments)
    paths = [str(path) for name, path in BENCHES.items() if not options.names or name in options.names]
    pytest_options = ["-m", "bench", "-q", "-s", "--no-header", "-p", "no:randomly", "-p", "no:xdist"]
    sys.stdout.write(f"{time.strftime('%Y-%m-%d')}, {_machine()}\n")
    begun = time.monotonic()
    status = pytest.main(
        ["-o", "addopts=", *pytest_options, "--timeout", "900", "--durations", "0", *["-v"] * options.v, *paths]
    )
    sys.stdout.write(f"{(time.monotonic() - begun) / 60:.1f} minutes\n")
    return int(status)


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<11} {_about(path)}" for name, path in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Run the benchmarks and print their tables as Markdown. On a machine that does other things too,"
        " only the ratios within one run mean something.",
        epilog=f"benchmarks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", type=_bench, metavar="NAME", help="one of those below; else all of them")
    parser.add_argument("-v", action="count", default=0, help="name each test as it runs")
    return parser


def _bench(name: str) -> str:
    if name not in BENCHES:
        raise argparse.ArgumentTypeError(f"there is no bench {name}; there are {', '.join(BENCHES)}")
    return name


def _about(path: Path) -> str:
    """Return the first line of the module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def _machine() -> str:
    """Return what a table's reader must know of the machine."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    return f"{os.cpu_count()} cores, {model or platform.machine()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
