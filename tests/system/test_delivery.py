"""From event to image with every behaviour of the vendor, on both databases."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.inbox.oa_limits import RateLimit
from bot.sandbox.script import OK, Script, answer, bad_gateway, cut, hang, late, vendor_code
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.webhook_client import Echo
from tests.support.events import ASK, rows, settled, statuses
from tests.support.running import MAKER, OA_ID, Bot, wait_until

PICTURE = "https://shop.example/bang-gia.jpg"


def test_a_text_gets_its_picture(bot: Bot, vendor: SandboxVendor) -> None:
    """Typed without marks; the answer goes to the sender, for the OA that was written to."""
    bot.deliver(MAKER.text("101", ASK))
    [taken] = vendor.wait_for_taken(1)
    assert (taken.message.oa_id, taken.message.user_id, taken.message.image) == (OA_ID, "101", PICTURE)
    wait_until(lambda: settled(bot), "the event to be settled")
    [row] = rows(bot)
    assert (row["status"], row["reason"], row["rule_id"]) == ("sent", "rule", "bang-gia")
    assert row["vendor_ids"] == [{"msg_id": taken.msg_id, "referentId": "sandbox-1"}]


def test_several_pictures_come_in_order(bot: Bot, vendor: SandboxVendor) -> None:
    """Also if one of them needs a second attempt."""
    vendor.next(OK, answer(500))
    bot.deliver(MAKER.text("101", "hai anh"))
    taken = vendor.wait_for_taken(2)
    assert [t.message.image for t in taken] == ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]


def test_what_nobody_answers_is_kept_with_its_reason(bot: Bot, vendor: SandboxVendor) -> None:
    """No rule, an old event, a group, an echo: 200, silence, and the reason on record."""
    bot.deliver(MAKER.text("101", "xin chào"))
    bot.deliver(MAKER.text("102", ASK, at=time.time() - 49 * 3600))
    bot.deliver(MAKER.group_text("103", "f414c8f76fa586fbdfb4", ASK))
    bot.deliver(MAKER.oa_sent_text("104", ASK))
    bot.deliver(MAKER.anonymous_text("anon-1", ASK))
    wait_until(lambda: settled(bot), "everything to be settled")
    assert [row["reason"] for row in rows(bot)] == ["no-match", "stale", "not-answerable", "echo", "not-answerable"]
    assert vendor.received == []


@pytest.mark.parametrize("script", [answer(500), answer(503), answer(429), vendor_code(-32, "limit")])
def test_trouble_of_the_moment_is_tried_again(tmp_path: Path, vendor: SandboxVendor, script: Script) -> None:
    """The picture arrives, once."""
    vendor.next(script, script)
    with Bot(tmp_path, vendor.url) as bot:
        bot.deliver(MAKER.text("101", ASK))
        vendor.wait_for_taken(1)
        wait_until(lambda: settled(bot), "the event to be settled")
        [row] = rows(bot)
        # The vendor answered nobody meanwhile: that is not the event's failure.
        assert (row["status"], row["attempts"]) == ("sent", 0)
        assert len(vendor.taken) == 1


def test_an_event_that_never_succeeds_is_a_dead_letter_and_blocks_nobody(bot: Bot, vendor: SandboxVendor) -> None:
    """The vendor's words are on record; the same user's next event is answered."""
    vendor.next(vendor_code(-213, "User has not followed OA"))
    bot.deliver(MAKER.text("101", ASK))
    bot.deliver(MAKER.text("101", "hai ảnh"))
    vendor.wait_for_taken(2)
    wait_until(lambda: settled(bot), "both events to be settled")
    first, second = rows(bot)
    assert (first["status"], first["reason"], second["status"]) == ("dead", "refused", "sent")
    assert "User has not followed OA" in first["error"]


def test_attempts_end(tmp_path: Path, vendor: SandboxVendor) -> None:
    """After MAX_ATTEMPTS failures of one event while the vendor takes those of others."""
    vendor.always(answer(500), user_id="101")
    with Bot(tmp_path, vendor.url, MAX_ATTEMPTS="2") as bot:
        bot.deliver(MAKER.text("101", ASK))
        others = itertools.count(200)

        def is_dead_while_others_write() -> bool:
            bot.deliver(MAKER.text(str(next(others)), ASK))
            return "dead" in statuses(bot)

        wait_until(is_dead_while_others_write, "the dead letter")
        row = rows(bot)[0]
        assert (row["status"], row["reason"], row["attempts"]) == ("dead", "attempts", 2)


def test_a_refused_account_stops_all_and_recovers_by_itself(bot: Bot, vendor: SandboxVendor) -> None:
    """Events wait without losing attempts, one probe at a time; `/readyz` says why."""
    vendor.always(answer(401, {"code": 401, "message": "key expired"}))
    for user in range(5):
        bot.deliver(MAKER.text(f"10{user}", ASK))
    vendor.wait_for(1)
    wait_until(lambda: "key expired" in bot.get("/readyz").text, "/readyz to say why")
    vendor.always(OK)
    vendor.wait_for_taken(5)
    wait_until(lambda: settled(bot), "all to be settled")
    assert {row["attempts"] for row in rows(bot)} == {0}
    assert bot.get("/readyz").text == "ready\n"


@pytest.mark.long
def test_an_outage_burns_no_attempts(tmp_path: Path, vendor: SandboxVendor) -> None:
    """
    Down, then busy, then silent: every event is answered once when it is over, in order of each user.

    Whoever writes meanwhile is acknowledged as ever.
    """
    users = [f"1{n:02}" for n in range(10)]
    with (
        Bot(tmp_path, vendor.url, SEND_TIMEOUT="1") as bot,
        Echo(MAKER, f"{bot.url}/webhook") as echo,
        ThreadPoolExecutor(1) as customers,
    ):
        vendor.listen(echo)
        over = threading.Event()

        def write() -> Counter[int]:
            """Return how often each status was answered to: two texts of each user, and some of others till the end."""
            texts = [MAKER.text(user, text) for text in (ASK, "hai anh") for user in users]
            answered = Counter(bot.post(text).status_code for text in texts)
            while not over.wait(0.2):
                answered[bot.post(MAKER.text(str(200 + answered.total()), ASK)).status_code] += 1
            return answered

        vendor.refuse_connections()
        vendor.always(answer(503))
        written = customers.submit(write)
        wait_until(lambda: "no connection" in readiness(bot), "the outage to be known")
        vendor.accept_connections()
        vendor.wait_for(1)
        vendor.always(hang())
        vendor.wait_for(2)
        vendor.always(OK)
        over.set()
        answered = written.result()
        assert answered.keys() == {200}
        vendor.wait_for_taken(answered[200] + len(users))
        wait_until(lambda: settled(bot), "all to be settled")
        assert len(vendor.taken) == answered[200] + len(users)
        assert {(row["status"], row["attempts"]) for row in rows(bot) if row["kind"]} == {("sent", 0)}
    for user in users:
        mine = [t.message.image.rpartition("/")[2] for t in vendor.taken if t.message.user_id == user]
        assert mine == ["bang-gia.jpg", "1.jpg", "2.jpg"]


def readiness(bot: Bot) -> str:
    return bot.get("/readyz").text


@pytest.mark.parametrize("script", [hang(), cut(), bad_gateway(takes=True), answer(200, b"<html>", takes=True)])
def test_an_unknown_outcome_is_settled_by_the_echo(tmp_path: Path, vendor: SandboxVendor, script: Script) -> None:
    """The vendor took the picture and never said so: it is not sent again."""
    with Bot(tmp_path, vendor.url, SEND_TIMEOUT="1") as bot, Echo(MAKER, f"{bot.url}/webhook") as echo:
        vendor.listen(echo)
        vendor.next(script)
        bot.deliver(MAKER.text("101", ASK))
        bot.deliver(MAKER.text("101", "hai anh"))
        vendor.wait_for_taken(3)
        wait_until(lambda: settled(bot), "all to be settled")
        assert statuses(bot) == ["sent", "sent"]
        assert len(vendor.taken) == 3


def test_an_unknown_outcome_without_echoes_waits_and_is_not_repeated(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Nothing is known to repeat what goes out: sending again might be a second picture."""
    vendor.next(bad_gateway(takes=False))
    with Bot(tmp_path, vendor.url) as bot:
        bot.deliver(MAKER.text("101", ASK))

        def looked_for() -> bool:
            [row] = rows(bot)
            put_off = row["reason"] == "unknown" and not row["leased"]
            return bool(put_off and 4 <= row["due_at"] - row["attempted_at"] <= 60)

        wait_until(looked_for, "the echo to have been looked for several times")
        assert len(vendor.received) == 1


def test_retry_after_is_respected(tmp_path: Path, vendor: SandboxVendor) -> None:
    """No call of the account leaves before the time that the vendor named."""
    vendor.next(answer(429, headers={"Retry-After": "3"}))
    with Bot(tmp_path, vendor.url) as bot:
        bot.deliver(MAKER.text("101", ASK))
        wait_until(lambda: "account=closed" in bot.log_text(), "the bot to have read the answer")
        bot.deliver(MAKER.text("102", ASK))
        vendor.wait_for_taken(2)
        times = [received.at for received in vendor.received]
        assert times[1] - times[0] >= 3


def test_a_human_who_answers_silences_the_bot(bot: Bot, vendor: SandboxVendor) -> None:
    """Also for an event that came in just before, while its picture waits for a second attempt."""
    vendor.next(answer(503))
    bot.deliver(MAKER.text("101", ASK))
    vendor.wait_for(1)
    bot.deliver(MAKER.oa_sent_text("101", "Chào bạn, mình đây", admin_id="4572947693969771653"))
    bot.deliver(MAKER.text("101", ASK))
    bot.deliver(MAKER.text("102", ASK))
    wait_until(lambda: settled(bot), "all to be settled")
    assert [t.message.user_id for t in vendor.taken] == ["102"]
    assert [row["reason"] for row in rows(bot)] == ["human", "human", "human", "rule"]


def test_one_users_flood_does_not_delay_others(bot: Bot, vendor: SandboxVendor) -> None:
    """He has his replies in order; another user's comes at once in between."""
    vendor.always(late(0.05), user_id="101")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bot.post(MAKER.text("101", ASK)), range(60)))
    bot.deliver(MAKER.text("102", ASK))
    vendor.wait_for_taken(lambda taken: any(t.message.user_id == "102" for t in taken))
    assert Counter(t.message.user_id for t in vendor.taken)["101"] < 60


def test_a_hundred_events_at_once_are_answered_once_each(bot: Bot, vendor: SandboxVendor) -> None:
    """Half of them delivered twice."""
    made = [MAKER.text(f"2{n:03}", ASK) for n in range(100)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda event: bot.post(event).status_code, made + made[:50]))
    assert answers == [200] * 150
    taken = vendor.wait_for_taken(100)
    wait_until(lambda: settled(bot), "all to be settled")
    assert sorted(t.message.user_id for t in taken) == [f"2{n:03}" for n in range(100)]


def test_the_rate_is_kept(tmp_path: Path, vendor: SandboxVendor) -> None:
    """SEND_RATE counts calls, not events, and holds over the processes."""
    rate = RateLimit.per_minute(30)
    with Bot(tmp_path, vendor.url, SEND_RATE="30", WEB_CONCURRENCY="2") as bot:
        # Not from call to call: a slow machine delays some more than others on their way.
        began = time.time()
        for user in range(8):
            bot.deliver(MAKER.text(f"10{user}", ASK))
        vendor.wait_for_taken(5)
        times = sorted(received.at for received in vendor.received)
        assert times[4] - began > 2 * rate.interval


def test_the_rate_is_kept_over_machines(tmp_path: Path, vendor: SandboxVendor, postgres_url: str) -> None:
    """Two groups of processes that share a database share the burst, and the steady stream after it."""
    settings = {"DATABASE_URL": postgres_url, "SEND_RATE": "120", "WEB_CONCURRENCY": "2"}
    rate = RateLimit.per_minute(120)
    burst, more = round(rate.burst / rate.interval) + 1, 6
    with (
        Bot(tmp_path / "first", vendor.url, **settings) as first,
        Bot(tmp_path / "second", vendor.url, **settings) as second,
        ThreadPoolExecutor(8) as customers,
    ):
        began = time.time()
        asked = [((first, second)[n % 2], MAKER.text(f"1{n:02}", ASK)) for n in range(burst + more)]
        assert {answer.status_code for answer in customers.map(lambda pair: pair[0].post(pair[1]), asked)} == {200}
        times = [taken.at for taken in vendor.wait_for_taken(len(asked))]
    assert times[-1] - began > more * rate.interval / 2


def test_follow_and_what_else_has_no_text(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Each kind of event reaches the rules that listen to it."""
    rules = "version: 1\nrules:\n" + "".join(
        f'  - {{id: {kind.replace("_", "-")}, on: {kind}, reply: {{image_url: "https://shop.example/{kind}.jpg"}}}}\n'
        for kind in ("follow", "sticker", "chat_now")
    )
    with Bot(tmp_path, vendor.url, rules=rules) as bot:
        bot.deliver(MAKER.follow("101"))
        bot.deliver(MAKER.attachment("102", "sticker"))
        bot.deliver(MAKER.chat_now("103"))
        bot.deliver(MAKER.attachment("104", "location"))
        taken = vendor.wait_for_taken(3)
        wait_until(lambda: settled(bot), "all to be settled")
        pictures = {t.message.user_id: t.message.image.rpartition("/")[2] for t in taken}
        assert pictures == {"101": "follow.jpg", "102": "sticker.jpg", "103": "chat_now.jpg"}
