"""The commands about past events beside a running bot."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.inbox.database import Database
from bot.inbox.failures import explain
from bot.inbox.tables import events
from bot.rules.validate import validate
from bot.sandbox.script import OK, answer
from bot.sandbox.vendor import SandboxVendor
from tests.support.commands import printed
from tests.support.events import ASK
from tests.support.rows import NOW, keep
from tests.support.running import MAKER, OA_ID, PATIENCE, RULES, Bot, environment, wait_until

REFUSED = answer(400, {"code": 400, "message": "image_url is not a picture"})
SECRET_WORDS = "xin chào, mình tên Na, sđt 0912 345 678"


@pytest.fixture
def shop(tmp_path: Path, vendor: SandboxVendor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    """A bot in the current directory."""
    monkeypatch.chdir(tmp_path)
    with Bot(tmp_path, vendor.url) as running:
        yield running


def run(bot: Bot, *arguments: str, **settings: str) -> Result:
    """Run a command with the bot's settings, in another process than the bot."""
    return CliRunner().invoke(main, arguments, env=bot.environment | settings)


def fine(bot: Bot, *arguments: str, **settings: str) -> str:
    """Run a command that must succeed; return what it printed."""
    done = run(bot, *arguments, **settings)
    assert (done.exit_code, done.stderr) == (0, ""), done
    return done.stdout


def stored(bot: Bot) -> list[tuple[int, str]]:
    """Return the ids of the bot's events and where they stand."""
    database = Database(bot.environment["DATABASE_URL"])
    with database.read() as connection:
        rows = [(row.id, row.status) for row in connection.execute(sa.select(events.c.id, events.c.status))]
    database.dispose()
    return rows


def wait_for(bot: Bot, **counts: int) -> None:
    """Return once so many events stand so."""
    wait_until(lambda: Counter(status for _, status in stored(bot)) == counts, f"{counts}")


def bury_one(bot: Bot, vendor: SandboxVendor, text: str = ASK, user: str = "101") -> str:
    """Have the vendor refuse the next picture; return the id of the dead letter."""
    vendor.next(REFUSED, user_id=user)
    bot.deliver(MAKER.text(user, text))
    wait_until(lambda: "dead" in dict(stored(bot)).values(), "a dead letter")
    return next(str(number) for number, status in stored(bot) if status == "dead")


def test_a_dead_letter_from_its_cause_to_the_customer(tmp_path: Path, vendor: SandboxVendor, database_url: str) -> None:
    """The operator sees the vendor's words, mends the rule, replays; the customer gets the new picture, once."""
    with Bot(tmp_path, vendor.url, DATABASE_URL=database_url, WEB_CONCURRENCY="1") as bot:
        dead = bury_one(bot, vendor)
        table, whole = printed(bot, "inbox"), printed(bot, "inbox", dead)
        assert "image_url is not a picture" in whole
        assert explain("HTTP 400: image_url is not a picture", "en").what in table
        assert "dead letters (dead): 1" in table
        not_sent = "not sent: https://shop.example/bang-gia.jpg"
        for said in ("dead", "refused by the vendor", "bang-gia", OA_ID, "101", not_sent):
            assert said in whole
        loads = bot.log_text().count("rules in force")
        bot.rules.write_text(RULES.replace("bang-gia.jpg", "gia-moi.jpg"), encoding="utf-8")
        wait_until(lambda: bot.log_text().count("rules in force") > loads, "the new rules")
        said = printed(bot, "replay", dead)
        assert said.startswith(f"{dead}: open again; it was dead, refused, ")
        assert "image_url is not a picture" in said
        [taken] = vendor.wait_for_taken(1)
        assert taken.message.image == "https://shop.example/gia-moi.jpg"
        wait_for(bot, sent=1)
        assert "nothing to do, it is sent" in printed(bot, "replay", dead)
        assert "There are no dead letters" in printed(bot, "replay", "--dead")
        assert len(vendor.taken) == 1


def test_a_half_sent_answer_is_finished(shop: Bot, vendor: SandboxVendor) -> None:
    """The picture that went out before is not sent again."""
    vendor.next(OK, REFUSED, user_id="101")
    shop.deliver(MAKER.text("101", "hai ảnh"))
    wait_for(shop, dead=1)
    assert "open again" in fine(shop, "replay", "--dead")
    taken = vendor.wait_for_taken(2)
    assert [t.message.image for t in taken] == ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]
    wait_for(shop, sent=1)
    assert len(vendor.taken) == 2


def test_a_parked_event_is_replayed_by_its_id_only(shop: Bot, vendor: SandboxVendor) -> None:
    """`--dead` leaves it alone: its picture may have gone out."""
    database = Database(shop.environment["DATABASE_URL"])
    parked = keep(database, status="parked", reason="unknown", oa_id=OA_ID, user_id="101", age=NOW - time.time() + 60)
    database.dispose()
    assert "no dead letters" in fine(shop, "replay", "--dead")
    assert "open again" in fine(shop, "replay", str(parked))
    assert len(vendor.wait_for_taken(1)) == 1


def test_customers_texts_are_masked_or_left_out(shop: Bot, vendor: SandboxVendor) -> None:
    """By no command, wherever they came from."""
    shop.deliver(MAKER.text("101", SECRET_WORDS))
    bury_one(shop, vendor, f"bảng giá nha {SECRET_WORDS}", user="102")
    wait_for(shop, ignored=1, dead=1)
    shop.rules.with_name("new.yaml").write_text(RULES.replace("bảng giá", "xin chào"), encoding="utf-8")
    commands = [["inbox"], *(["inbox", str(number)] for number, _ in stored(shop)), ["replay", "--dead"]]
    for command in commands:
        shown = fine(shop, *command)
        assert "Na" not in shown.replace("shop.example", "")
        assert "0912 345" not in shown
    for command in (["unmatched"], ["unmatched", "--yaml"], ["backtest", "new.yaml"]):
        shown = fine(shop, *command)
        assert "xin chào, mình tên Na, sđt •••" in shown
        assert "345" not in shown


def test_what_nobody_answered_and_what_to_write(shop: Bot) -> None:
    """Most people first; the YAML can be pasted, and then the rules answer."""
    texts = ["Có xuất hóa đơn không?", "co xuat hoa don khong", "bản giá", "tuyển nhân viên ko"]
    for user, text in enumerate(texts * 2):
        shop.deliver(MAKER.text(str(200 + user % 7), text))
    wait_for(shop, ignored=8)
    shown = fine(shop, "unmatched")
    assert re.search(r"4 people +Có xuất hóa đơn không\?.*2 people +bản giá.*bang-gia: .*bảng giá", shown, re.DOTALL)
    assert "2 khách" in fine(shop, "unmatched", BOT_LANG="vi")
    snippet = fine(shop, "unmatched", "--yaml")
    assert snippet.count("- id: ") == 2  # none for what is a slip of the pen
    shop.rules.write_text(RULES + snippet, encoding="utf-8")
    verdict = validate(shop.rules.read_bytes(), today=datetime.now(UTC).date())
    assert [problem.code for problem in verdict.problems] == ["url-placeholder"] * 2
    left = fine(shop, "unmatched")
    assert "bản giá" in left
    assert "hóa đơn" not in left


def test_without_usable_rules_the_questions_are_listed_all_the_same(shop: Bot) -> None:
    """What stands in the inbox does not depend on them."""
    shop.deliver(MAKER.text("101", "tiệm có bán nến không"))
    shop.deliver(MAKER.text("102", "alo"))
    wait_for(shop, ignored=2)
    for content in ("rules: [", None):
        shop.rules.unlink()
        if content:
            shop.rules.write_text(content, encoding="utf-8")
        done = run(shop, "unmatched")
        assert (done.exit_code, "bot check" in done.stderr) == (0, True)
        assert "1 person  tiệm có bán nến không" in done.stdout
        assert "Short messages that say little: 1" in done.stdout


def test_a_backtest_says_what_would_change(shop: Bot, vendor: SandboxVendor) -> None:
    """For the better, for the worse, or only otherwise."""
    for user, text in enumerate(["bảng giá", "bang gia a", "hai ảnh", "ship không", "alo"]):
        shop.deliver(MAKER.text(str(100 + user), text))
    vendor.wait_for_taken(4)
    wait_for(shop, sent=3, ignored=2)
    other = RULES.replace("bang-gia\n", "gia\n").replace("hai ảnh", "ship")
    shop.rules.with_name("new.yaml").write_text(other, encoding="utf-8")
    shown = fine(shop, "backtest", "new.yaml")
    for line in (
        "new.yaml, tried on 5 real messages", ": 1 answered as before", "Now answered by a rule: 1\n",
        "1  (no answer) → hai-anh", "ship không", "Answered differently: 2\n", "2  bang-gia → gia",
        "No longer answered by a rule: 1\n", "1  hai-anh → (no answer)",
    ):  # fmt: skip
        assert line in shown
    assert "tried on 2 real" in fine(shop, "backtest", "new.yaml", "--limit", "2")
    assert "Trả lời khác trước: 2 tin" in fine(shop, "backtest", "new.yaml", BOT_LANG="vi")


def test_a_backtest_wants_a_file_without_problems(shop: Bot) -> None:
    """They are shown as `bot check` shows them."""
    shop.rules.with_name("new.yaml").write_text("rules:\n  - id: a\n    keyword: [x]\n", encoding="utf-8")
    done = run(shop, "backtest", "new.yaml")
    assert done.exit_code == 1
    assert "new.yaml:3:5: " in done.stdout
    assert run(shop, "backtest", "nowhere.yaml").exit_code == 3
    assert run(shop, "backtest").exit_code == 2
    shop.rules.with_name("new.yaml").write_text(RULES, encoding="utf-8")
    assert "There are no messages" in fine(shop, "backtest", "new.yaml")


def test_a_replay_that_is_killed_is_repeated(tmp_path: Path) -> None:
    """Each event is replayed whole or not at all, and none twice."""
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    number = 300
    for n in range(number):
        keep(database, status="dead", reason="refused", user_id=f"u{n}", age=NOW - time.time() + 60)
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    settings = environment(tmp_path, "http://127.0.0.1:9", 0)
    command = [sys.executable, "-u", "-m", "bot", "replay", "--dead"]
    with subprocess.Popen(command, cwd=tmp_path, env=settings, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(20)]
        process.kill()
    assert all(b"open again" in line for line in told)
    halfway = Counter(fences(database))
    assert halfway[0, "dead"] + halfway[1, "open"] == number
    assert halfway[1, "open"] >= 20
    assert halfway[0, "dead"] > 0, "the kill came too late to prove anything"
    subprocess.run(command, cwd=tmp_path, env=settings, stdout=subprocess.DEVNULL, check=True, timeout=PATIENCE)
    assert set(fences(database)) == {(1, "open")}
    database.dispose()


def fences(database: Database) -> list[tuple[int, str]]:
    """Return how often each event was replayed, and where it stands."""
    with database.read() as connection:
        return [(row.fence, row.status) for row in connection.execute(sa.select(events.c.fence, events.c.status))]
