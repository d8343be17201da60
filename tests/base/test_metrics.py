"""Counting of metrics in one process and in several, also when the files fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = "from prometheus_client import generate_latest; print(generate_latest(counts.counted()).decode())"


def run(code: str, **variables: str) -> str:
    """Return the output of a new process that runs *code*: counts belong to a process."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables
    source = f"from bot.metrics import counts, sharing\n{code}\n{SHOW}"
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_each_count_has_its_label() -> None:
    """A status, a kind of event, an outcome, a reason, a rule."""
    said = run(
        "counts.acknowledged(200, 0.004); counts.acknowledged(401, 1.5)\n"
        "counts.received('text', fresh=True); counts.received(None, fresh=True)\n"
        "counts.received('text', fresh=False)\n"
        "counts.settled('text', 'sent', 'rule', 'bang-gia'); counts.settled('sticker', 'ignored', 'no-match', None)\n"
        "counts.unmatched('sticker')\n"
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


def test_a_call_is_counted_by_its_outcome() -> None:
    """An exception is the outcome, and is raised again."""
    said = run(
        "with counts.sending(): pass\n"
        "try:\n"
        "    with counts.sending(): raise LookupError\n"
        "except LookupError: counts.settled('text', 'dead', 'refused', 'x')\n"
    )
    assert 'zalo_bot_send_seconds_count{outcome="Taken"} 1.0\n' in said
    assert 'zalo_bot_send_seconds_count{outcome="LookupError"} 1.0\n' in said
    assert "zalo_bot_settled_total" in said
    assert "zalo_bot_replies_total{" not in said


@pytest.mark.parametrize("place", ["/proc/none", "/dev/null", "/dev/null/x"])
def test_without_a_writable_directory_each_process_counts_alone(place: str) -> None:
    """An acknowledgement must not fail because of it; it is logged."""
    said = run(
        "import logging, sys; logging.basicConfig(stream=sys.stdout)\n"
        "sharing.begin(); counts.received('text', fresh=True)\n",
        PROMETHEUS_MULTIPROC_DIR=place,
    )
    assert "one process only" in said
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in said


@pytest.mark.parametrize("forks_after", ["share", "counting"])
def test_processes_that_share_a_directory_are_summed(tmp_path: Path, forks_after: str) -> None:
    """A child counts whether or not its parent has counted; ended processes still count."""
    first = "counts.received('text', fresh=True)" if forks_after == "counting" else "pass"
    said = run(
        "import os, pathlib\n"
        f"sharing.share(pathlib.Path({str(tmp_path)!r}))\n"
        f"{first}\n"
        "for _ in range(3):\n"
        "    if not os.fork():\n"
        "        counts.received('text', fresh=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    expected = 4.0 if forks_after == "counting" else 3.0
    assert f'zalo_bot_events_total{{kind="text"}} {expected}\n' in said


def test_the_latest_report_of_a_quota_counts(tmp_path: Path) -> None:
    """Of any process, also one that has ended; unreported values are not made up."""
    said = run(
        "import os, pathlib\n"
        f"sharing.share(pathlib.Path({str(tmp_path)!r}))\n"
        "counts.quota('1', 'sub_quota', left=9, size=500)\n"
        "if not os.fork():\n"
        "    counts.quota('1', 'sub_quota', left=8, size=500)\n"
        "    counts.quota('1', 'other', left=3, size=None)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    assert 'zalo_bot_quota_remaining{oa_id="1",quota_type="sub_quota"} 8.0\n' in said
    assert 'zalo_bot_quota_limit{oa_id="1",quota_type="sub_quota"} 500.0\n' in said
    assert 'zalo_bot_quota_remaining{oa_id="1",quota_type="other"} 3.0\n' in said
    assert 'zalo_bot_quota_limit{oa_id="1",quota_type="other"}' not in said


def test_the_environments_directory_is_used(tmp_path: Path) -> None:
    """As by Prometheus' own client: several programs of a machine may share it."""
    count = "sharing.begin(); counts.received('text', fresh=True)"
    place = str(tmp_path / "made" / "for it")
    run(count, PROMETHEUS_MULTIPROC_DIR=place)
    assert 'zalo_bot_events_total{kind="text"} 2.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=place)


def test_the_file_of_a_starting_process_may_be_empty(tmp_path: Path) -> None:
    """For a moment, or for ever if it was killed then."""
    (tmp_path / "counter_1.db").touch()
    count = "sharing.begin(); counts.received('text', fresh=True)"
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))


def test_processes_of_one_parent_share_counts(tmp_path: Path) -> None:
    """No others do, and no other user may read them."""
    count = "sharing.share_with_siblings(); sharing.begin(); counts.received('text', fresh=True)"
    run(count, TMPDIR=str(tmp_path))
    assert 'zalo_bot_events_total{kind="text"} 2.0\n' in run(count, TMPDIR=str(tmp_path))
    code = f"from bot.metrics import counts, sharing; {count}"
    nephew = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])\n"
    assert 'zalo_bot_events_total{kind="text"} 3.0\n' in run(f"{nephew}{count}", TMPDIR=str(tmp_path))
    directories = list(tmp_path.iterdir())
    assert len(directories) == 2
    assert {path.stat().st_mode & 0o777 for path in directories} == {0o700}


def test_deleted_files_are_created_again(tmp_path: Path) -> None:
    """Counting continues, also of new labels, which need a new file."""
    said = run(
        "import shutil, os, time\n"
        "sharing.begin(); counts.received('text', fresh=True)\n"
        "shutil.rmtree(os.environ['PROMETHEUS_MULTIPROC_DIR']); time.sleep(sharing._CHECK_SECONDS)\n"
        "counts.received('text', fresh=True); counts.acknowledged(200, 0.1)\n",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "counts"),
    )
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in said
    assert 'zalo_bot_acknowledgement_seconds_count{status="200"} 1.0\n' in said


@pytest.mark.parametrize(
    "spoil",
    [
        "shutil.rmtree(place); open(place, 'w').close()",
        "shutil.rmtree(place); signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))",
    ],
)
def test_an_unwritable_disk_costs_only_counts(tmp_path: Path, spoil: str) -> None:
    """With a file in place of the directory, or without space, counts are kept in memory."""
    place = tmp_path / "counts"
    said = run(
        "import logging, resource, shutil, signal, sys, time\n"
        "logging.basicConfig(stream=sys.stdout)\n"
        f"place = {str(place)!r}; sharing.begin(); counts.received('text', fresh=True)\n"
        f"{spoil}; time.sleep(sharing._CHECK_SECONDS)\n"
        "counts.settled('text', 'sent', 'rule', 'a'); counts.received('text', fresh=True)\n"
        "with counts.sending(): pass\n",
        PROMETHEUS_MULTIPROC_DIR=str(place),
    )
    assert "one process only" in said
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in said
    assert 'zalo_bot_send_seconds_count{outcome="Taken"} 1.0\n' in said


def test_the_space_for_counts_is_reserved_before_it_is_written_to(tmp_path: Path) -> None:
    """A full disk kills a process that writes to a mapped page without space."""
    run("sharing.begin(); counts.received('text', fresh=True)", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    for file in tmp_path.glob("*.db"):
        assert file.stat().st_blocks * 512 >= file.stat().st_size


@pytest.mark.parametrize(
    "content", [b"\xff" * 99, b"\x40\0\0\0\0\0\0\0" + b"\x10\0\0\0not json........" + bytes(99), b"x"]
)
def test_a_damaged_file_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "counter_1.db").write_bytes(content)
    (tmp_path / "histogram_2.db").write_bytes(content)
    count = "sharing.begin(); counts.received('text', fresh=True)"
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
