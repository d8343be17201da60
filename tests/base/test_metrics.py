"""Counting: what is seen by the one who scrapes, also over processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = "from prometheus_client import generate_latest; print(generate_latest(metrics.counted()).decode())"


def run(code: str, **variables: str) -> str:
    """Return what a fresh process prints that runs *code*: counts last as long as a process."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables
    source = f"from bot import metrics\n{code}\n{SHOW}"
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_each_kind_of_thing_is_counted_under_its_label() -> None:
    """A status, a kind of event, an outcome, a reason, a rule."""
    said = run(
        "metrics.acknowledged(200, 0.004); metrics.acknowledged(401, 1.5)\n"
        "metrics.received('text', fresh=True); metrics.received(None, fresh=True)\n"
        "metrics.received('text', fresh=False)\n"
        "metrics.settled('text', 'sent', 'rule', 'bang-gia'); metrics.settled('sticker', 'ignored', 'no-match', None)\n"
        "metrics.unmatched('sticker')\n"
    )
    for line in (
        'zalo_bot_acknowledgement_seconds_bucket{le="0.005",status="200"} 1.0',
        'zalo_bot_acknowledgement_seconds_bucket{le="1.0",status="401"} 0.0',
        'zalo_bot_acknowledgement_seconds_count{status="401"} 1.0',
        'zalo_bot_events_total{kind="text"} 1.0',
        'zalo_bot_events_total{kind="other"} 1.0',
        'zalo_bot_redeliveries_total{kind="text"} 1.0',
        'zalo_bot_settled_total{kind="text",reason="rule",status="sent"} 1.0',
        'zalo_bot_settled_total{kind="sticker",reason="no-match",status="ignored"} 1.0',
        'zalo_bot_unmatched_total{kind="sticker"} 1.0',
        'zalo_bot_replies_total{rule="bang-gia"} 1.0',
    ):
        assert f"{line}\n" in said
    assert said.count("\nzalo_bot_replies_total{") == 1


def test_a_call_is_counted_by_what_ends_it() -> None:
    """An exception goes on its way, and is the outcome."""
    said = run(
        "with metrics.sending(): pass\n"
        "try:\n"
        "    with metrics.sending(): raise LookupError\n"
        "except LookupError: metrics.settled('text', 'dead', 'refused', 'x')\n"
    )
    assert 'zalo_bot_send_seconds_count{outcome="Taken"} 1.0\n' in said
    assert 'zalo_bot_send_seconds_count{outcome="LookupError"} 1.0\n' in said
    assert "zalo_bot_settled_total" in said
    assert "zalo_bot_replies_total{" not in said


@pytest.mark.parametrize("place", ["/proc/none", "/dev/null", "/dev/null/x"])
def test_where_nothing_can_be_written_each_process_counts_for_itself(place: str) -> None:
    """An acknowledgement must never fail for a directory of counts; the log tells."""
    said = run(
        "import logging, sys; logging.basicConfig(stream=sys.stdout)\n"
        "metrics.begin(); metrics.received('text', fresh=True)\n",
        PROMETHEUS_MULTIPROC_DIR=place,
    )
    assert "one process only" in said
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in said


@pytest.mark.parametrize("forks_after", ["share", "counting"])
def test_processes_that_share_a_directory_are_one(tmp_path: Path, forks_after: str) -> None:
    """A child counts for itself, whether or not its parent has counted; who has ended still counts."""
    first = "metrics.received('text', fresh=True)" if forks_after == "counting" else "pass"
    said = run(
        "import os, pathlib\n"
        f"metrics.share(pathlib.Path({str(tmp_path)!r}))\n"
        f"{first}\n"
        "for _ in range(3):\n"
        "    if not os.fork():\n"
        "        metrics.received('text', fresh=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    expected = 4.0 if forks_after == "counting" else 3.0
    assert f'zalo_bot_events_total{{kind="text"}} {expected}\n' in said


def test_of_a_quota_the_latest_word_counts(tmp_path: Path) -> None:
    """Whichever process heard it, also one that has ended since; what the vendor did not tell is not made up."""
    said = run(
        "import os, pathlib\n"
        f"metrics.share(pathlib.Path({str(tmp_path)!r}))\n"
        "metrics.quota('1', 'sub_quota', left=9, size=500)\n"
        "if not os.fork():\n"
        "    metrics.quota('1', 'sub_quota', left=8, size=500)\n"
        "    metrics.quota('1', 'other', left=3, size=None)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    assert 'zalo_bot_quota_remaining{oa_id="1",quota_type="sub_quota"} 8.0\n' in said
    assert 'zalo_bot_quota_limit{oa_id="1",quota_type="sub_quota"} 500.0\n' in said
    assert 'zalo_bot_quota_remaining{oa_id="1",quota_type="other"} 3.0\n' in said
    assert 'zalo_bot_quota_limit{oa_id="1",quota_type="other"}' not in said


def test_the_environments_directory_is_used(tmp_path: Path) -> None:
    """As Prometheus' own client does it: several programs of one machine may share."""
    count = "metrics.begin(); metrics.received('text', fresh=True)"
    place = str(tmp_path / "made" / "for it")
    run(count, PROMETHEUS_MULTIPROC_DIR=place)
    assert 'zalo_bot_events_total{kind="text"} 2.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=place)


def test_a_process_that_begins_to_count_disturbs_nobody(tmp_path: Path) -> None:
    """Its file is empty for a moment; or for ever, if it was killed in that moment."""
    (tmp_path / "counter_1.db").touch()
    count = "metrics.begin(); metrics.received('text', fresh=True)"
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))


def test_siblings_find_each_other(tmp_path: Path) -> None:
    """Processes of one parent share; nobody else does, and nobody else may look."""
    count = "metrics.share_with_siblings(); metrics.begin(); metrics.received('text', fresh=True)"
    run(count, TMPDIR=str(tmp_path))
    assert 'zalo_bot_events_total{kind="text"} 2.0\n' in run(count, TMPDIR=str(tmp_path))
    nephew = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {f'from bot import metrics; {count}'!r}])\n"
    )
    assert 'zalo_bot_events_total{kind="text"} 3.0\n' in run(f"{nephew}{count}", TMPDIR=str(tmp_path))
    directories = list(tmp_path.iterdir())
    assert len(directories) == 2
    assert {path.stat().st_mode & 0o777 for path in directories} == {0o700}
