"""The console's list of events, the page of one event, and replay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import g
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bot.inbox.queries import EventDetail
from bot.inbox.replay import ReplayResult, replay
from bot.inbox.states import Status
from bot.inbox.tables import events
from bot.inbox.texts import replay_text
from bot.logs import single_line
from bot.rules.engine import FALLBACK
from bot.web.console.messages.event_timeline import timeline
from bot.web.console.messages.events_page import MAX_REPLAYED, PAGE_SIZE
from tests.support.console import Console, running, words
from tests.support.rows import DAY, HOUR, NOW, found

OA = "388613280878808645"
WINDOW = timedelta(hours=48)
SCRIPT = "<script>document.title='hit'</script> bảng giá"
DEAD = {"status": "dead", "reason": "refused", "attempts": 1, "error": "HTTP 400: <b>no picture</b>"}
PARKED = {"status": "parked", "reason": "unknown", "attempted_at": NOW, "error": "no answer within 10 s"}
TWO = [{"image_url": "https://shop.example/bang-gia.jpg"}, {"attachment_id": "abc-1"}]
STATUSES: tuple[Status, ...] = get_args(Status)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path, zalo_oa_id=(OA, "222")) as found:
        found.log_in()
        yield found


def put(console: Console, *, age: float = 60.0, **values: Any) -> int:
    """Store an event that came in *age* seconds ago; return its id."""
    return console.keep(age=age, **{"oa_id": OA, **values})


def row(console: Console, event_id: int) -> dict[str, Any]:
    return found(console.runtime.database, event_id)


def listed(page: TestResponse) -> list[int]:
    """Return the ids of the events on a page of the list."""
    assert page.status_code == 200
    return [int(number) for number in re.findall(r'class="when"><a href="/console/events/(\d+)"', page.text)]


def printed(outcome: ReplayResult, event_id: int) -> str:
    """Return the output of `bot replay`."""
    return replay_text(event_id, outcome, window=WINDOW, lang="en")


def test_the_list_has_event_decision_and_outcome(console: Console) -> None:
    """The newest first, one line each."""
    put(console, text="menu đâu", status="ignored", reason="cooldown", rule_id="menu", images=None)
    put(console, text="giá", images=TWO, progress=1, rule_id="hai-anh", **DEAD | {"attempts": 3})
    page = words(console.get("events"))
    for one in ("giá", "hai-anh", "refused by the vendor for good", "HTTP 400: <b>no picture</b>", "1/2 3 dead letter"):
        assert one in page
    assert "menu đâu Conversation 1 menu the rule answered this customer a while ago not answered" in page
    assert page.index("hai-anh") < page.index("menu đâu")
    assert "gửi thất bại" in words(console.get("events?lang=vi"))


def test_the_oas_own_messages_have_their_sender(console: Console) -> None:
    """They have no kind, so Zalo's event name is shown."""
    put(
        console, name="oa_send_image", kind=None, text=None, status="ignored", reason="human", images=None, rule_id=None
    )
    put(console, name="user_seen_message", kind=None, text=None, status="ignored", reason="not-answerable", images=None)
    page = words(console.get("events"))
    assert "The OA wrote oa_send_image" in page
    assert "Zalo reported user_seen_message" in page


@pytest.mark.parametrize("path", ["events", "events?status=dead", "events/{id}"])
def test_untrusted_text_is_escaped(console: Console, path: str) -> None:
    """The customer's text and the vendor's."""
    event_id = put(console, text=SCRIPT, **DEAD)
    page = console.get(path.format(id=event_id))
    assert SCRIPT in words(page)
    assert "HTTP 400: <b>no picture</b>" in words(page)
    assert "<script>document" not in page.text
    assert "<b>no picture" not in page.text


def test_the_list_masks_texts_and_the_event_page_does_not(console: Console) -> None:
    """No URL has a user id."""
    event_id = put(console, text="gọi mình 0912.345.678\nnhé", user_id="246845883529197922")
    page = console.get("events")
    assert "gọi mình ••• nhé" in words(page)
    assert "246845883529197922" not in page.text
    page = console.get(f"events/{event_id}")
    assert "gọi mình 0912.345.678\nnhé" in page.text
    assert not [link for link in re.findall(r'(?:href|action)="([^"]*)"', page.text) if "246845" in link]


@pytest.mark.parametrize("status", STATUSES)
def test_the_list_by_status(console: Console, status: Status) -> None:
    """With the numbers of unfinished events on the tabs."""
    ids = {each: [put(console, status=each, reason="rule") for _ in range(2)] for each in STATUSES}
    page = console.get(f"events?status={status}")
    assert listed(page) == ids[status][::-1]
    assert re.search(r"Waiting 2 Sent Not answered Dead letter 2 Parked: outcome unknown 2", words(page))


def test_the_list_by_oa_and_by_customer(console: Console) -> None:
    """A customer is named by an event id; with each filter, and with all of them."""
    theirs = [put(console, user_id="u7", status=status) for status in ("sent", "dead")]
    put(console, user_id="u7", oa_id="222")
    other = put(console, user_id="u8", oa_id="222")
    assert listed(console.get("events?oa=222"))[0] == other
    assert listed(console.get(f"events?customer={theirs[0]}")) == theirs[::-1]
    assert listed(console.get(f"events?customer={theirs[0]}&status=dead&oa={OA}")) == theirs[1:]
    assert listed(console.get(f"events?customer={theirs[0]}&oa=222")) == []
    assert f"/console/events?customer={theirs[1]}" in console.get(f"events/{theirs[1]}").text


@pytest.mark.parametrize("query", ["", "?status=sent", f"?oa={OA}", "?status=dead"])
def test_pages_hold_every_event_once(console: Console, query: str) -> None:
    """With any filter."""
    ids = [put(console, status="dead" if "dead" in query else "sent") for _ in range(PAGE_SIZE * 2 + 3)]
    seen: list[int] = []
    address: str | None = f"events{query}"
    while address:
        page = console.get(address)
        seen += listed(page)
        link = re.search(r'rel="next" href="/console/([^"]*)"', page.text)
        address = link[1].replace("&amp;", "&") if link else None
    assert seen == ids[::-1]


def test_empty_lists(console: Console) -> None:
    """An empty inbox, and a filter that matches nothing."""
    assert "No customer has written yet. Try a message" in words(console.get("events"))
    put(console)
    assert "There are no such events. Show all messages" in words(console.get("events?status=parked"))
    assert console.get("events/999").status_code == 404


def test_the_timeline_of_an_event(console: Console) -> None:
    """From the customer to the last image, with times, the vendor's ids and the rules."""
    ids = [{"msg_id": "vendor-1", "referentId": "ref-1"}, {"msg_id": "vendor-2", "referentId": ""}]
    now = console.runtime.database.now()
    event_id = put(
        console, sent_at=now - 62, images=TWO, progress=2, vendor_ids=ids, replied_at=now - 59.5, settled_at=now - 58
    )  # fmt: skip
    page = console.get(f"events/{event_id}")
    told = words(page)
    stages = (
        "The customer writes a text", "bảng giá", "The bot received and stored it", "after 2.0 s", "The bot decided",
        "bang-gia a rule matches", "the rules in force now are others", "Picture 1 of 2: sent", "vendor-1 ref-1",
        "Picture 2 of 2: sent", "vendor-2", "Done", OA,
    )  # fmt: skip
    places = [told.index(stage) for stage in stages]
    assert places == sorted(places)
    assert "shop/bang-gia.jpg" in page.text
    assert "Replay" not in told


def test_rules_that_are_still_in_force_are_not_called_others(console: Console) -> None:
    """Then what the event page says of the rule holds."""
    event_id = put(console, rules_hash=console.runtime.rules_reloader.rules.digest)
    assert "the rules in force now" not in words(console.get(f"events/{event_id}"))


@pytest.mark.parametrize(
    ("values", "ending"),
    [
        ({"status": "open", "reason": None, "images": None, "rules_hash": None}, "Its turn comes next"),
        ({"status": "open", "attempted_at": NOW}, "Being sent"),
        ({"status": "open", "due_at": NOW * 2, "attempts": 2, "error": "HTTP 503"}, "comes back to it"),
        ({"status": "sent", "images": TWO, "progress": 1, "reason": "human"}, "Stopped halfway"),
        ({"status": "ignored", "reason": "stale", "images": None}, "Nothing is sent Too old"),
        ({"status": "dead", "reason": "attempts", "attempts": 8}, "Given up Tried too often in vain; tried 8 times"),
        ({"status": "parked", "reason": "unknown", "attempted_at": NOW}, "Picture 1 of 1: outcome unknown"),
    ],
)
def test_the_status_of_an_event(console: Console, values: dict[str, Any], ending: str) -> None:
    """Each status in words."""
    assert ending in words(console.get(f"events/{put(console, **values)}"))


def test_an_erased_text_is_called_erased(console: Console) -> None:
    """Not an empty message."""
    event_id = put(console, text=None, body=None, age=40 * DAY)
    assert "The text is erased: messages are kept for 30 days" in words(console.get(f"events/{event_id}"))
    assert "text erased" in words(console.get("events"))


@pytest.mark.parametrize("failed", [DEAD, PARKED], ids=["dead", "parked"])
def test_replay_has_the_text_of_the_command_and_works_once(console: Console, failed: dict[str, Any]) -> None:
    """The second press finds it open."""
    event_id = put(console, **failed)
    address = f"events/{event_id}/replay"
    answer = console.post(address)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/events/{event_id}")
    was = ReplayResult("reopened", failed["status"], failed["reason"], failed.get("attempts", 0), failed["error"])
    page = console.get(f"events/{event_id}")
    assert printed(was, event_id) in words(page)
    assert 'data-status="open"' in page.text
    first = row(console, event_id)
    assert (first["status"], first["fence"]) == ("open", 1)
    assert printed(ReplayResult("settled", "open"), event_id) in words(console.post(address, follow_redirects=True))
    assert row(console, event_id) == first


@pytest.mark.parametrize("status", ["open", "sent", "ignored"])
def test_other_events_cannot_be_replayed(console: Console, status: Status) -> None:
    """There is no button, and a press in an old tab changes nothing."""
    event_id = put(console, status=status, reason="rule")
    before = row(console, event_id)
    assert f"events/{event_id}/replay" not in console.get(f"events/{event_id}").text
    told = console.post(f"events/{event_id}/replay", follow_redirects=True)
    assert printed(ReplayResult("settled", status), event_id) in words(told)
    assert row(console, event_id) == before


def test_a_parked_event_is_replayed_with_a_warning(console: Console) -> None:
    """On its own page, and above the list."""
    event_id = put(console, **PARKED)
    page = words(console.get(f"events/{event_id}"))
    assert "The customer may have got this picture already" in page
    assert "even if it arrives twice" in page
    assert "the customer may get it twice" in words(console.get("events?status=parked"))


@pytest.mark.parametrize(
    ("values", "outcome"),
    [({"age": WINDOW.total_seconds() + HOUR}, "late"), ({"text": None, "body": None, "images": None}, "erased")],
)
def test_an_event_that_cannot_be_replayed_has_a_reason(console: Console, values: dict[str, Any], outcome: str) -> None:
    """And no button; the reason is that of the command."""
    event_id = put(console, **DEAD | values)
    why = printed(ReplayResult(outcome), event_id)  # type: ignore[arg-type]
    page = console.get(f"events/{event_id}")
    assert why in words(page)
    assert f"events/{event_id}/replay" not in page.text
    assert why in words(console.post(f"events/{event_id}/replay", follow_redirects=True))
    assert row(console, event_id)["status"] == "dead"


def test_a_deleted_event(console: Console) -> None:
    """Retention may have been quicker."""
    assert console.post("events/999/replay").status_code == 404


@pytest.mark.parametrize("path", ["events/{id}/replay", "events/replay-dead"])
def test_a_replay_needs_a_log_in_and_our_origin(console: Console, path: str) -> None:
    """Not from another site, nor by a link."""
    event_id = put(console, **DEAD)
    address = path.format(id=event_id)
    assert console.client.post(f"/console/{address}").status_code == 400
    assert console.post(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert console.get(address).status_code in (404, 405)
    assert row(console, event_id)["status"] == "dead"


def test_all_dead_letters_at_once(console: Console) -> None:
    """Those that may still be answered; parked ones wait for a person. A second press finds nothing."""
    fresh = [put(console, user_id=f"u{n}", **DEAD) for n in range(3)]
    late, parked = put(console, age=3 * DAY, **DEAD), put(console, **PARKED)
    page = words(console.get("events?status=dead"))
    assert "3 of them are within the time to reply (2 days)" in page
    assert "Replay 3" in page
    answer = console.post("events/replay-dead", follow_redirects=True)
    assert "3 open again." in words(answer)
    assert [row(console, event_id)["status"] for event_id in (*fresh, late, parked)] == [
        *["open"] * 3,
        "dead",
        "parked",
    ]
    assert "All of them are past the time to reply" in words(answer)
    assert "There was nothing to replay" in words(console.post("events/replay-dead", follow_redirects=True))


def test_many_dead_letters_are_replayed_in_portions(console: Console) -> None:
    """The button has the number of the remaining ones."""
    for _ in range(MAX_REPLAYED + 2):
        put(console, **DEAD)
    assert f"At most {MAX_REPLAYED} at a time" in words(console.get("events?status=dead"))
    answer = console.post("events/replay-dead", follow_redirects=True)
    assert f"{MAX_REPLAYED} open again. 2 are left: press once more." in words(answer)
    assert "2 open again." in words(console.post("events/replay-dead", follow_redirects=True))


def test_replay_at_the_same_moment_as_the_command(console: Console) -> None:
    """The second one is told."""
    event_id = put(console, **DEAD)
    database = console.runtime.database
    replay(database, event_id, now=database.now(), window=WINDOW.total_seconds())
    assert "nothing to do, it is open" in words(console.post(f"events/{event_id}/replay", follow_redirects=True))


NUMBERS = st.one_of(
    st.integers().map(str), st.text(max_size=12), st.sampled_from(["0", "-1", "9" * 30, "1e3", "٣", "\0"])
)
NAMES = st.one_of(
    st.sampled_from(["status", "oa", "customer", "before", "lang", "_scheme", "_external"]), st.text(max_size=5)
)


@given(query=st.dictionaries(NAMES, NUMBERS, max_size=5), path=st.one_of(st.just(""), NUMBERS.map(lambda n: f"/{n}")))
@example({"before": str(2**63)}, "")
@example({"customer": str(2**63 - 1)}, f"/{2**63}")
@settings(max_examples=80)
def test_any_query_has_a_page(console: Console, query: dict[str, str], path: str) -> None:
    """Or a client error, never an exception."""
    if path == "":
        put(console, **DEAD)
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    assert console.get(f"events{quote(path, safe='/')}?{asked}", follow_redirects=True).status_code in (200, 400, 404)


MOMENTS = st.one_of(st.none(), st.floats(0, 2e9))
WORDS = st.one_of(st.none(), st.text(max_size=30))
WHOLES = st.builds(
    EventDetail,
    id=st.integers(1, 9), received_at=st.floats(0, 2e9), oa_id=st.text(max_size=5), name=st.text(max_size=5),
    kind=st.sampled_from([None, "text", "follow", "image", "new-kind"]), status=st.sampled_from(STATUSES),
    reason=st.one_of(st.none(), st.sampled_from(["rule", "fallback", "unknown", "human", "refused", "new-reason"])),
    rule_id=st.sampled_from([None, FALLBACK, "a"]), attempts=st.integers(0, 9), error=WORDS, key=st.text(max_size=9),
    user_id=st.text(max_size=5), msg_id=st.text(max_size=5), sent_at=MOMENTS, text=WORDS,
    rules_hash=st.one_of(st.none(), st.just("f" * 64)), images=st.one_of(st.none(), st.just(TWO), st.just(TWO[:1])),
    progress=st.integers(0, 2), due_at=st.floats(0, 2e9), attempted_at=MOMENTS, resent=st.booleans(),
    replied_at=MOMENTS, settled_at=MOMENTS, vendor_ids=st.sampled_from([None, [{"msg_id": "m", "referentId": ""}]]),
)  # fmt: skip


@given(event=WHOLES, lang=st.sampled_from(["vi", "en"]))
def test_every_event_has_a_timeline(console: Console, event: EventDetail, lang: str) -> None:
    """It begins with the customer, has each image once, and comes to an end."""
    with console.app.test_request_context():
        g.lang = lang
        steps = timeline(event, now=NOW)
    assert [steps[0].stage, steps[1].stage, steps[-1].stage] == ["came", "kept", "end"]
    assert [step.picture for step in steps if step.picture] == list(range(1, len(event.images or ()) + 1))
    assert [step.vendor for step in steps if step.vendor] == [said for said in [single_line(event.error or "")] if said]
    assert all(step.what for step in steps)


@given(values=st.fixed_dictionaries({
    "status": st.sampled_from(STATUSES), "text": st.one_of(st.none(), st.just(""), st.just(SCRIPT)),
    "kind": st.sampled_from([None, "text", "sticker"]), "images": st.sampled_from([None, TWO]),
    "vendor_ids": st.sampled_from([None, [{"msg_id": "", "referentId": "r"}]]), "progress": st.integers(0, 2),
    "rules_hash": st.sampled_from([None, "f" * 64]), "error": st.sampled_from([None, "HTTP 500"]),
}))  # fmt: skip
@settings(max_examples=60)
def test_every_event_has_a_page(console: Console, values: dict[str, Any]) -> None:
    """Also those of older or newer versions."""
    event_id = put(console, **values)
    assert console.get(f"events/{event_id}").status_code == 200
    assert event_id in listed(console.get("events"))
    with console.runtime.database.write() as connection:
        connection.execute(sa.delete(events))
