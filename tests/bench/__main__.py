"""``python -m tests.bench [-v] [NAME…]``: run the benchmarks, or those that are named, and print their tables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

#: By the name of its file without `bench_`; in the order in which an event meets what they measure.
_FIRST = ("start", "ack", "matching", "delivery")
_FOUND = {path.stem.removeprefix("bench_"): path for path in sorted(Path(__file__).parent.glob("bench_*.py"))}
BENCHES = {name: _FOUND[name] for name in (*_FIRST, *sorted(_FOUND.keys() - set(_FIRST)))}


def main(arguments: list[str]) -> int:
    """Run them one after the other, for they share the machine; return pytest's exit status."""
    names = [argument for argument in arguments if argument != "-v"]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.stderr.write(f"there is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}\n")
        return 2
    paths = [str(path) for name, path in BENCHES.items() if not names or name in names]
    options = ["-m", "bench", "-q", "-s", "--no-header", "-p", "no:randomly", "-p", "no:xdist", "--timeout", "3600"]
    return int(pytest.main(["-o", "addopts=", *options, *["-v"] * (len(arguments) - len(names)), *paths]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
