"""What Zalo sends: signatures and events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zalo.sdk.utils.MacUtils import MacUtils

from bot.errors import BadPayload, BadSignature
from bot.zalo import Event, decode, parse, sign, verify

APP, SECRET, TIME = "360846524940903967", "testOAsecretKey0001", "1543908534740"
BODY = (
    '{"app_id":"360846524940903967","sender":{"id":"246845883529197922"},"user_id_by_app":"552177279717587730",'
    '"recipient":{"id":"388613280878808645"},"event_name":"user_send_text",'
    '"message":{"text":"xin chào #menu","msg_id":"96d3cdf3af150460909"},"timestamp":"1543908534740"}'
).encode()
MAC = "65a6adb74b2294104c76f3e2322618d724ccae3d741bc86d64545b20d25bf7dc"
PAYLOADS = [json.loads(line) for line in (Path(__file__).parents[1] / "data/payloads.jsonl").read_text().splitlines()]


def read(payload: dict[str, Any]) -> Event:
    body = json.dumps(payload).encode()
    return parse(decode(body), body)


def check(body: bytes, header: str | None, *, app_id: str = APP, secret: str = SECRET) -> None:
    verify(body, decode(body), header, app_id=app_id, secret=secret)


@pytest.mark.parametrize(
    ("body", "mac"),
    [
        (BODY, MAC),
        (BODY.replace("à".encode(), rb"\u00e0"), "0e2bbee51d735e428314cfccb9a0d2a7d9c0c04e1b0cabb01137215f6064f628"),
    ],
)
def test_known_signatures(body: bytes, mac: str) -> None:
    """Two vectors: the signature is over the bytes, not over their decoded text."""
    assert sign(body, app_id=APP, timestamp=TIME, secret=SECRET) == f"mac={mac}"
    check(body, f"mac={mac}")


@pytest.mark.parametrize(
    "header", [f"mac={MAC}", MAC, f"mac={MAC.upper()}", MAC.upper(), f" mac = {MAC} ", f"MAC={MAC}"]
)
def test_accepted_forms_of_the_header(header: str) -> None:
    """The prefix may be absent, the hex may be in any case."""
    check(BODY, header)


@pytest.mark.parametrize(
    "header", [None, "", "mac=", MAC[:-1], f"mac={MAC}0", "mac=" + "0" * 64, f"sha256={MAC}", "ａ" * 64]
)
def test_refused_headers(header: str | None) -> None:
    """Missing, cut, wrong or malformed: all give the same refusal."""
    with pytest.raises(BadSignature):
        check(BODY, header)


def test_a_body_of_another_app_is_refused_even_if_it_is_signed_for_ours() -> None:
    """The app id in the body must be ours."""
    body = BODY.replace(APP.encode(), b"111")
    with pytest.raises(BadSignature):
        check(body, sign(body, app_id=APP, timestamp=TIME, secret=SECRET))
    with pytest.raises(BadSignature):
        check(body, sign(body, app_id="111", timestamp=TIME, secret=SECRET))


def test_ids_and_time_as_integers_are_signed_as_written() -> None:
    """Some events carry bare integers; no digit may be lost."""
    body = BODY.replace(b'"360846524940903967"', b"360846524940903967").replace(b'"1543908534740"', b"1543908534740")
    check(body, sign(body, app_id=APP, timestamp=TIME, secret=SECRET))
    assert parse(decode(body), body).app_id == APP


@given(st.binary(min_size=1), st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_breaks_the_signature(extra: bytes, place: int, flip: int) -> None:
    """No byte of the body is outside the signature."""
    header = sign(BODY, app_id=APP, timestamp=TIME, secret=SECRET)
    changed = bytearray(BODY)
    changed[place % len(BODY)] ^= flip
    for body in (bytes(changed), BODY + b" " * len(extra)):
        try:
            check(body, header)
        except (BadSignature, BadPayload):
            continue
        pytest.fail("a changed body was accepted")


@given(st.text(), st.text(alphabet="0123456789", min_size=1), st.text(min_size=1))
def test_signatures_agree_with_zalos_own_sdk(text: str, timestamp: str, secret: str) -> None:
    """The same formula as the helper that Zalo publishes."""
    body = text.encode("utf-8", "replace")
    secret = secret.encode("utf-8", "replace").decode()
    theirs = MacUtils.build_mac(APP, body.decode(), timestamp, secret)
    assert sign(body, app_id=APP, timestamp=timestamp, secret=secret) == f"mac={theirs}"


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: p["event_name"])
def test_every_documented_payload_is_read(payload: dict[str, Any]) -> None:
    """Only actions of users may be answered, and all necessary fields are found."""
    event = read(payload)
    assert event.name == payload["event_name"]
    if event.name.startswith("user_send_") and "group" not in event.name:
        assert event.on == event.name.removeprefix("user_send_")
        assert (event.user_id, event.oa_id) == (payload["sender"]["id"], payload["recipient"]["id"])
        assert event.msg_id == payload["message"]["msg_id"]
        assert event.text == payload["message"].get("text", "")
    elif event.name == "follow":
        assert (event.on, event.user_id, event.oa_id) == ("follow", payload["follower"]["id"], payload["oa_id"])
    elif event.name == "user_click_chatnow":
        assert (event.on, event.user_id, event.oa_id) == ("chat_now", payload["user_id"], payload["oa_id"])
    else:
        assert event.on is None


def test_echoes_of_a_person_are_recognised() -> None:
    """`sender.admin_id` is present only if somebody used OA Manager."""
    echoes = [read(p) for p in PAYLOADS if p["event_name"].startswith("oa_send_")]
    assert [(e.name, e.is_echo, e.by_human) for e in echoes] == [
        ("oa_send_text", True, False),
        ("oa_send_image", True, True),
    ]
    assert {(e.oa_id, e.user_id) for e in echoes} == {("2197174064623873199", "4339761418830368433")}


def test_each_field_of_the_key_distinguishes_events() -> None:
    """The console's test button always sends the same msg_id, so time and name distinguish its events."""
    base = PAYLOADS[0]
    changes: list[dict[str, Any]] = [
        {},
        {"app_id": "1"},
        {"event_name": "user_send_image"},
        {"timestamp": "1787209817226"},
        {"sender": {"id": "1"}},
        {"recipient": {"id": "1"}},
        {"message": {"text": "message", "msg_id": "other"}},
    ]
    assert len({read(base | change).key for change in changes}) == len(changes)


def test_a_rewritten_delivery_of_the_same_event_has_the_same_key() -> None:
    """A forwarder may serialise the JSON differently."""
    payload = PAYLOADS[0]
    assert read(payload).key == read(dict(reversed(payload.items()))).key
    assert read(payload).key == read(payload | {"user_id_by_app": None}).key


def test_events_without_ids_are_distinguished_by_their_bytes() -> None:
    """Receipts and management events have no msg_id."""
    tag = next(p for p in PAYLOADS if p["event_name"] == "add_user_to_tag")
    assert read(tag).key != read(tag | {"tag": {"user_ids": ["1"], "name": "x"}}).key


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [("1787209817225", 1787209817.225), (1787209817225, 1787209817.225), ("154390853474", None), ("", None),
     ("9" * 40, None), ("-5", None), ("１２", None), (None, None), (1.5e12, None), (True, None)],
)  # fmt: skip
def test_implausible_times_are_ignored(timestamp: object, seconds: float | None) -> None:
    """Such as the twelve digits of the official sample; none is an error."""
    assert read(PAYLOADS[0] | {"timestamp": timestamp}).sent_at == seconds


def test_an_event_from_the_oa_to_itself_is_not_answered() -> None:
    """Or the bot would talk to itself."""
    payload = PAYLOADS[0]
    assert read(payload | {"sender": payload["recipient"]}).on is None


def test_unstorable_text_is_replaced() -> None:
    """NUL and lone surrogates are legal JSON."""
    event = read(PAYLOADS[0] | {"message": {"msg_id": "a\u0000b", "text": "gi\ud83d\u0000á"}})
    assert (event.text, event.msg_id) == ("gi\ufffd\ufffdá", "a\ufffdb")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"x"', b"1", b"null", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 50_000, b"NaN"]
)
def test_anything_but_an_object_is_a_bad_payload(body: bytes) -> None:
    """And nothing else happens."""
    with pytest.raises(BadPayload):
        decode(body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from(
    ["app_id", "event_name", "sender", "recipient", "message", "timestamp", "oa_id", "follower", "user_id"]
)


@given(st.dictionaries(_fields, _json | st.fixed_dictionaries({"id": _json, "msg_id": _json, "text": _json})))
def test_any_object_is_an_event(payload: dict[str, Any]) -> None:
    """It can be stored: no error, nothing too long for an index, no NUL."""
    event = read(payload)
    assert len(event.key) == 64
    for value in (event.name, event.app_id, event.oa_id, event.user_id, event.msg_id):
        assert len(value) <= 128
    for value in (event.name, event.user_id, event.text):
        assert "\x00" not in value
        value.encode()


@given(st.binary())
def test_any_bytes_are_an_object_or_a_bad_payload(body: bytes) -> None:
    """Nothing else can come out."""
    try:
        parse(decode(body), body)
    except BadPayload:
        return
