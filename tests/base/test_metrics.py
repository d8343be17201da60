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
    """Return what a fresh process prints that runs *code*: counts last as long as a process."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables
    source = f"from bot.metrics import counts, sharing\n{code}\n{SHOW}"
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_each_kind_of_thing_is_counted_under_its_label() -> None:
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


def test_a_call_is_counted_by_what_ends_it() -> None:
    """An exception goes on its way, and is the outcome."""
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
def test_where_nothing_can_be_written_each_process_counts_for_itself(place: str) -> None:
    """An acknowledgement must never fail for a directory of counts; the log tells."""
    said = run(
        "import logging, sys; logging.basicConfig(stream=sys.stdout)\n"
        "sharing.begin(); counts.received('text', fresh=True)\n",
        PROMETHEUS_MULTIPROC_DIR=place,
    )
    assert "one process only" in said
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in said


@pytest.mark.parametrize("forks_after", ["share", "counting"])
def test_processes_that_share_a_directory_are_one(tmp_path: Path, forks_after: str) -> None:
    """A child counts for itself, whether or not its parent has counted; who has ended still counts."""
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


def test_of_a_quota_the_latest_word_counts(tmp_path: Path) -> None:
    """Whichever process heard it, also one that has ended since; what the vendor did not tell is not made up."""
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
    """As Prometheus' own client does it: several programs of one machine may share."""
    count = "sharing.begin(); counts.received('text', fresh=True)"
    place = str(tmp_path / "made" / "for it")
    run(count, PROMETHEUS_MULTIPROC_DIR=place)
    assert 'zalo_bot_events_total{kind="text"} 2.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=place)


def test_a_process_that_begins_to_count_disturbs_nobody(tmp_path: Path) -> None:
    """Its file is empty for a moment; or for ever, if it was killed in that moment."""
    (tmp_path / "counter_1.db").touch()
    count = "sharing.begin(); counts.received('text', fresh=True)"
    assert 'zalo_bot_events_total{kind="text"} 1.0\n' in run(count, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))


def test_siblings_find_each_other(tmp_path: Path) -> None:
    """Processes of one parent share; nobody else does, and nobody else may look."""
    count = "sharing.share_with_siblings(); sharing.begin(); counts.received('text', fresh=True)"
    run(count, TMPDIR=str(tmp_path))
    assert 'zalo_bot_events_total{kind="text"} 2.0\n' in run(count, TMPDIR=str(tmp_path))
    code = f"from bot.metrics import counts, sharing; {count}"
    nephew = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])\n"
    assert 'zalo_bot_events_total{kind="text"} 3.0\n' in run(f"{nephew}{count}", TMPDIR=str(tmp_path))
    directories = list(tmp_path.iterdir())
    assert len(directories) == 2
    assert {path.stat().st_mode & 0o777 for path in directories} == {0o700}


def test_files_that_were_tidied_away_are_begun_anew(tmp_path: Path) -> None:
    """Counting goes on, also of what had not been counted before: that needs a new file."""
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
def test_a_disk_that_takes_nothing_costs_counts_and_nothing_else(tmp_path: Path, spoil: str) -> None:
    """Something else stands in the directory's place, or there is no space for a file: it is counted in memory."""
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
    """A mapped page for which a full disk has no space kills the process that writes to it."""
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
