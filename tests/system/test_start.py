"""All ways to start the bot, and all reasons to refuse a start."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest
import requests

from bot.sandbox.vendor import SandboxVendor
from tests.support.forkserver import start_process
from tests.support.ports import free_port
from tests.support.running import MAKER, PATIENCE, RULES, Bot, environment, wait_until

ROOT = Path(__file__).parents[2]
WAYS = {
    "bot serve": "-m bot serve",
    "gunicorn": f"-m gunicorn --chdir {ROOT} app:app -b 127.0.0.1:{{port}}",
    "gunicorn, threads and processes": f"-m gunicorn --chdir {ROOT} app:app -b 127.0.0.1:{{port}} -w 2 --threads 4",
    "gunicorn, loaded before the fork": f"-m gunicorn --chdir {ROOT} app:app -b 127.0.0.1:{{port}} -w 2 --preload",
    "flask": f"-m flask --app {ROOT / 'app.py'} run --port {{port}}",
    "python app.py": str(ROOT / "app.py"),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_started_it_answers_users(tmp_path: Path, vendor: SandboxVendor, way: str) -> None:
    """Not only stores their events, in a new database; and ends in order where something tells it to."""
    settings = {"PYTHONWARNINGS": "default", "DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    with Bot(tmp_path, vendor.url, command=WAYS[way].split(), **settings) as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        if way != "flask":
            assert bot.terminate() == 0
            assert len(vendor.received) == 1


def test_what_is_left_in_the_inbox_is_delivered_after_a_start(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Without any new event coming in."""
    with Bot(tmp_path, vendor.url, command=("-m", "bot", "serve", "--web-only")) as web:
        web.deliver(MAKER.text("101", "bảng giá"))
    with Bot(tmp_path, vendor.url, command=WAYS["gunicorn, loaded before the fork"].split(), PYTHONWARNINGS="default"):
        vendor.wait_for_taken(1)


def test_what_only_receives_needs_no_rules(tmp_path: Path, vendor: SandboxVendor) -> None:
    """It stores events, and says of the rules what is true as soon as something asks for them."""
    with Bot(tmp_path, vendor.url, rules="rules: [", command=("-m", "bot", "serve", "--web-only")) as web:
        assert web.get("/readyz").text == "ready\n"
        web.deliver(MAKER.text("101", "bảng giá"))
        assert "zalo_bot_rules_last_reload_successful 0.0" in web.get("/metrics").text
        web.rules.write_text(RULES, encoding="utf-8")
        scraped = web.get("/metrics").text
        assert "zalo_bot_rules 2.0" in scraped
        assert "zalo_bot_rules_last_reload_successful 1.0" in scraped
        web.rules.write_text("rules: [", encoding="utf-8")
        wait_until(lambda: "note: rules: " in web.get("/readyz").text, "the broken file to be noted")


def start(tmp_path: Path, way: str, *, rules: str | None = None, without: str = "", **changes: str) -> tuple[int, str]:
    """Return the exit status and what was said of a bot that cannot start."""
    variables = environment(tmp_path, "http://127.0.0.1:9", free_port()) | changes
    if rules is not None:
        (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    for name in without.split():
        del variables[name]
    command = [sys.executable, *(part.replace("{port}", variables["PORT"]) for part in WAYS[way].split())]
    with TemporaryFile() as output:
        status = start_process(command, cwd=tmp_path, env=variables, stdout=output.fileno()).wait(timeout=PATIENCE)
        output.seek(0)
        return status, output.read().decode()


@pytest.mark.parametrize("way", ["bot serve", "gunicorn", "python app.py"])
def test_missing_settings_are_all_named_once(tmp_path: Path, way: str) -> None:
    """One message, no values, exit status 3."""
    missing = "CPAAS_API_KEY CPAAS_ACCESS_TOKEN ZALO_APP_ID ZALO_OA_SECRET_KEY"
    status, said = start(tmp_path, way, without=missing, rules="", SEND_TIMEOUT="hush-hush")
    assert status == 3
    for name in (*missing.split(), "SEND_TIMEOUT"):
        assert said.count(f"{name}:") == 1
    assert "hush-hush" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("way", ["bot serve", "gunicorn", "python app.py"])
def test_a_wrong_rules_file_stops_the_start_with_line_and_column(tmp_path: Path, way: str) -> None:
    """As the compiler's message that the editor also sees in `bot check`."""
    rules = "version: 1\nrules:\n  - id: a\n    keyword: [giá]\n    reply: {image_url: https://shop.example/a.jpg}\n"
    status, said = start(tmp_path, way, rules=rules)
    assert status == 3
    assert re.search(r"rules\.yaml:4:5: .*keyword", said)
    assert "Traceback" not in said


def test_a_missing_rules_file_is_reported(tmp_path: Path) -> None:
    """With its name."""
    status, said = start(tmp_path, "bot serve")
    assert status == 3
    assert "rules.yaml" in said
    assert "Traceback" not in said


def test_a_database_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    """Without the password in its address."""
    rules = "version: 1\nrules: []\n"
    for url in ("postgresql://u:hush-hush@127.0.0.1:1/x", f"sqlite:///{tmp_path}/no/such/directory/bot.db"):
        status, said = start(tmp_path, "bot serve", rules=rules, DATABASE_URL=url)
        assert status == 3
        assert "DATABASE_URL" in said
        assert "hush-hush" not in said
        assert "Traceback" not in said


def test_a_new_rules_file_is_in_force_within_two_seconds(tmp_path: Path, vendor: SandboxVendor) -> None:
    """A good one replaces the old one; a bad, empty or vanished one changes nothing, and is told to the operator."""

    good = 'version: 1\nrules:\n  - id: moi\n    keywords: [bảng giá]\n    reply: {image_url: "https://shop.example/moi.jpg"}\n'
    with Bot(tmp_path, vendor.url) as bot:

        def ready() -> str:
            return bot.get("/readyz").text

        def picture() -> str:
            before = len(vendor.taken)
            bot.deliver(MAKER.text("101", "bảng giá"))
            return vendor.wait_for_taken(before + 1)[-1].message.image.rpartition("/")[2]

        for broken in ("", "rules: [", good[:-20], "\x00"):
            bot.rules.write_text(broken, encoding="utf-8")
            wait_until(lambda: "rules.yaml" in ready(), "/readyz to tell")
            assert picture() == "bang-gia.jpg"
        bot.rules.unlink()
        wait_until(lambda: "No such file" in ready(), "/readyz to tell")
        assert picture() == "bang-gia.jpg"
        new = tmp_path / "rules.yaml.new"
        new.write_text(good, encoding="utf-8")
        new.rename(bot.rules)
        wait_until(lambda: ready() == "ready\n", "the new rules")
        assert picture() == "moi.jpg"
        bot.rules.write_text("rules: [", encoding="utf-8")
        bot.kill()
        bot.start()
        assert picture() == "moi.jpg"


def test_an_address_of_ipv6(tmp_path: Path, vendor: SandboxVendor) -> None:
    """HOST=::1 needs no brackets."""
    with Bot(tmp_path, vendor.url, HOST="::1", ready="") as bot:
        bot.url = f"http://[::1]:{bot.port}"
        wait_until(lambda: is_ready(bot), "it answers")


def is_ready(bot: Bot) -> bool:
    try:
        return bot.get("/readyz").ok
    except requests.ConnectionError:
        return False


def test_no_room_for_temporary_files(tmp_path: Path) -> None:
    """One line of words, whatever is full."""
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    code = (
        "import resource, sys; from bot.web.server import serve;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); serve()"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; sys.exit()"],
        cwd=tmp_path,
        env=environment(tmp_path, "http://127.0.0.1:9", free_port()),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr == "no temporary folder can be written; make room in /tmp, or set TMPDIR to another\n"


@pytest.mark.parametrize("command", ["try bảng_giá", "check", "doctor", "--help", "unmatched"])
def test_a_terminal_that_cannot_show_vietnamese(tmp_path: Path, command: str) -> None:
    """It gets question marks, no traceback."""
    (tmp_path / "rules.yaml").write_text(RULES.replace("[bảng giá]", "[bảng giá, ưu đãi, b?ng]"), encoding="utf-8")
    variables = environment(tmp_path, "http://127.0.0.1:9", free_port())
    variables |= {"BOT_LANG": "vi", "PYTHONIOENCODING": "iso8859-1", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *command.split()],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"?" in done.stdout + done.stderr or command == "--help"
