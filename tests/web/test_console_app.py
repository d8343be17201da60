"""The console's blueprint: access, and headers of every response."""

from __future__ import annotations

import logging
import re
import time
import unicodedata
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask.sessions import NullSession, SecureCookieSessionInterface
from pydantic import SecretStr
from werkzeug.test import TestResponse

from bot.config import Settings
from bot.runtime import Runtime
from bot.web.app import create_app
from bot.web.console.app import MAX_FORM_BYTES, PAGES
from bot.web.console.auth import (
    MAX_IN_ALL,
    MAX_PER_ADDRESS,
    SESSION_LIFETIME,
    THROTTLE_SECONDS,
    LoginThrottle,
    derive_key,
)
from tests.support.clock import Clock
from tests.support.console import PASSWORD, RULES, Console, running, words

HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    """It begins at NOW."""
    return Clock()


@pytest.fixture
def console(tmp_path: Path, clock: Clock) -> Iterator[Console]:
    """Nobody is logged in yet."""
    with running(tmp_path, clock=clock) as found:
        yield found


def cookie(response: TestResponse) -> dict[str, str]:
    """Return what the answer says of the session's cookie."""
    morsel = SimpleCookie(response.headers["Set-Cookie"])["console"]
    return {name: str(value) for name, value in morsel.items() if value}


def test_without_a_password_there_is_no_console(tmp_path: Path) -> None:
    """404, as for anything else that is not there."""
    (tmp_path / "rules.yaml").write_text(
        "version: 1\nrules: []\nfallback: {reply: {image_url: 'https://a.vn/1.jpg'}}\n"
    )
    settings = Settings.model_construct(
        rules_file=tmp_path / "rules.yaml", database_url=SecretStr(f"sqlite:///{tmp_path / 'bot.db'}")
    )
    runtime = Runtime(settings, delivers=False)
    runtime.start()
    try:
        client = create_app(runtime).test_client()
        for path in ("/console", "/console/", "/console/login", "/console/try", "/console/static/console.css"):
            assert client.get(path).status_code == 404
    finally:
        runtime.stop()


def test_without_delivery_the_console_waits_for_usable_rules(tmp_path: Path) -> None:
    """Such a process starts without them; 503 until the file can be used."""
    path = tmp_path / "rules.yaml"
    password = {"console_password": SecretStr(PASSWORD), "bot_lang": "en"}
    url = SecretStr(f"sqlite:///{tmp_path / 'bot.db'}")
    runtime = Runtime(Settings.model_construct(rules_file=path, database_url=url, **password), delivers=False)
    runtime.start()
    try:
        console = Console(create_app(runtime), runtime)
        assert console.log_in().status_code == 303
        assert console.get("rules").status_code == 503
        path.write_text("rules: [", encoding="utf-8")
        assert console.get("rules").status_code == 503
        path.write_text(RULES, encoding="utf-8")
        assert console.get("rules").status_code == 200
    finally:
        runtime.stop()


@pytest.mark.parametrize("page", ["", *(page.name for page in PAGES), "elsewhere"])
def test_every_page_needs_the_password(console: Console, page: str) -> None:
    """Also one that does not exist; a POST does nothing."""
    for answer in (console.get(page), console.client.post(f"/console/{page or 'try'}")):
        assert answer.status_code == 303
        assert answer.headers["Location"].partition("?")[0] == "/console/login"
        assert "Set-Cookie" not in answer.headers


def test_the_log_in_returns_to_the_requested_page(console: Console) -> None:
    """With its query; the form keeps it after a wrong password."""
    way = console.get("rules?q=gia").headers["Location"]
    assert way == "/console/login?next=/console/rules?q%3Dgia"
    [action] = re.findall(r'action="/console/(login[^"]*)"', console.client.get(way).text)
    wrong = console.post(action, {"password": "x"})
    assert re.findall(r'action="/console/(login[^"]*)"', wrong.text) == [action]
    assert console.post(action, {"password": PASSWORD}).headers["Location"] == "/console/rules?q=gia"
    assert console.get("rules").status_code == 200
    assert console.get("login").headers["Location"] == "/console/"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/webhook", "/console/\\evil.example", "/console/\r\nX: y"]
)
def test_the_log_in_is_no_open_redirect(console: Console, elsewhere: str) -> None:
    """Whatever a link contains."""
    answer = console.client.post(
        "/console/login",
        query_string={"next": elsewhere},
        data={"password": PASSWORD},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")


def test_no_cookie_is_set_before_the_log_in(console: Console) -> None:
    """A signature made with the password would allow guessing it offline."""
    pages = [console.get(path) for path in ("login", "login?lang=vi", "rules?lang=vi", "nowhere", "static/console.css")]
    pages += [console.log_in("wrong"), console.client.post("/console/login"), console.post("login", {"password": ""})]
    assert not [page.request.path for page in pages if "Set-Cookie" in page.headers]
    for page in pages:
        page.close()


def test_each_database_has_its_own_signing_key(tmp_path: Path) -> None:
    """Neither the password alone nor a cookie of another bot with the same password is enough."""
    cookies = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with running(tmp_path / name) as console:
            console.log_in()
            cookies.append(console.client.get_cookie("console", path="/console"))
            if name == "b":
                assert cookies[0] is not None
                console.client.set_cookie("console", cookies[0].value, path="/console")
                assert console.get("try").status_code == 303
                key = derive_key(PASSWORD)
                forged = Flask("x", static_folder=None)
                forged.secret_key = key
                serializer = SecureCookieSessionInterface().get_signing_serializer(forged)
                assert serializer is not None
                console.client.set_cookie("console", serializer.dumps({"since": time.time()}), path="/console")
                assert console.get("try").status_code == 303


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_copied_cookie_is_invalid_after_the_log_out(console: Console, *, everywhere: bool) -> None:
    """In the database, not only in the browser; other sessions stay open unless all are ended."""
    console.log_in()
    other = Console(console.app, console.runtime)
    other.log_in()
    copied = console.client.get_cookie("console", path="/console")
    assert copied is not None
    console.post("logout", {"everywhere": "1"} if everywhere else None)
    console.client.set_cookie("console", copied.value, path="/console")
    assert console.get("try").status_code == 303
    assert other.get("try").status_code == (303 if everywhere else 200)


def test_a_wrong_password_is_refused_and_logged(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    """Without the password itself."""
    with caplog.at_level(logging.WARNING):
        answer = console.log_in("mật khẩu bừa")
    assert answer.status_code == 403
    assert "That is not the password" in words(answer)
    assert console.get("try").status_code == 303
    assert "wrong password" in caplog.text
    assert "bừa" not in caplog.text
    assert "bừa" not in answer.text


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_password_is_normalised(tmp_path: Path, form: str) -> None:
    """One keyboard sends ủ as one character, another as two."""
    with running(tmp_path, console_password=SecretStr(unicodedata.normalize("NFD", PASSWORD))) as console:
        assert console.log_in(unicodedata.normalize(form, PASSWORD)).status_code == 303


def test_the_attributes_of_the_cookie(console: Console) -> None:
    """No script reads it, no other site sends it, no other path gets it, and it ends with the session."""
    said = cookie(console.log_in())
    assert said.pop("expires")
    assert said == {"path": "/console", "httponly": "True", "samesite": "Lax"}


@pytest.mark.parametrize(
    "how",
    [
        {"base_url": "https://bot.example"},
        {"headers": {"X-Forwarded-Proto": "https"}},
        {"headers": {"X-Forwarded-Proto": "https, https"}},
    ],
)
def test_the_cookie_is_secure_behind_tls(console: Console, how: dict[str, Any]) -> None:
    """It never travels in the open."""
    assert cookie(console.post("login", {"password": PASSWORD}, **how))["secure"] == "True"


def test_a_session_ends(console: Console, clock: Clock) -> None:
    """Twelve hours after the log-in, however busy it was."""
    console.log_in()
    clock.now += SESSION_LIFETIME.total_seconds() - 1
    assert console.get("try").status_code == 200
    clock.now += 1
    assert console.get("try").status_code == 303


def test_logging_out(console: Console) -> None:
    """By POST alone: a link on another site must not do it."""
    console.log_in()
    assert console.get("logout").status_code in {404, 405}
    assert console.get("try").status_code == 200
    assert console.post("logout").status_code == 303
    assert console.get("try").status_code == 303


def test_forms_before_the_log_in_are_small(console: Console) -> None:
    """A few kilobytes, in any number of fields."""
    long = b"&".join([b"a"] * 1_000_000)
    assert console.post("login", long, content_type="application/x-www-form-urlencoded").status_code == 413
    assert console.post("login", {"password": "ạ" * 500}).status_code == 403
    assert console.log_in().status_code == 303


def test_another_password_logs_everybody_out(tmp_path: Path) -> None:
    """With the same password sessions survive a restart, in other processes and on other machines."""
    with running(tmp_path) as console:
        console.log_in()
        held = console.client.get_cookie("console", path="/console")
        assert held is not None
    for password, status in ((PASSWORD, 200), (f"{PASSWORD}!", 303)):
        with running(tmp_path, console_password=SecretStr(password)) as console:
            console.client.set_cookie("console", held.value, path="/console")
            assert console.get("try").status_code == status


@pytest.mark.parametrize("value", ["", "x", "eyJzaW5jZSI6MTc5MDAwMDAwMC4wfQ.aaaa.bbbb", "\N{SNOWMAN}"])
def test_a_forged_cookie_counts_as_missing(console: Console, value: str) -> None:
    """Unsigned words count for nothing."""
    console.client.set_cookie("console", value, path="/console")
    assert console.get("try").status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Sec-Fetch-Site": "cross-site"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Sec-Fetch-Site": ""}, 400),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 400),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "http://localhost.evil.example"}, 400),
        ({"Origin": "http://localhost:81"}, 400),
        ({"Origin": "http://["}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": ""}, 400),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://localhost"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://as.the.proxy.names.us"}, 303),
    ],
)
def test_a_form_of_another_origin_is_refused(console: Console, headers: dict[str, str], status: int) -> None:
    """For every page; also one without any origin."""
    answer = console.client.post("/console/login", data={"password": PASSWORD}, headers=headers)
    assert answer.status_code == status
    if status == 400:
        assert "not sent from this page" in words(answer)
        console.log_in()
        assert console.client.post("/console/logout", headers=headers).status_code == 400
        assert console.get("try").status_code == 200


def test_wrong_passwords_are_limited(console: Console, clock: Clock) -> None:
    """After five even the right one must wait; other addresses need not; after five minutes the count starts again."""
    for _ in range(MAX_PER_ADDRESS):
        assert console.log_in("x").status_code == 403
    refused = console.log_in()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "300")
    assert "Try again in 5 min" in words(refused)
    form = {"password": PASSWORD}
    assert console.post("login", form, environ_base={"REMOTE_ADDR": "203.0.113.7"}).status_code == 303
    console.post("logout")
    clock.now += THROTTLE_SECONDS
    assert console.log_in().status_code == 303


def test_the_client_behind_a_trusted_proxy(console: Console) -> None:
    """The proxy on this machine is trusted, for the last address that it adds; others are not."""
    for number in range(MAX_PER_ADDRESS + 1):
        forwarded = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
        local = console.post("login", {"password": "x"}, headers=forwarded)
        liar = console.post(
            "login",
            {"password": "x"},
            headers={"X-Forwarded-For": f"{number}"},
            environ_base={"REMOTE_ADDR": "192.0.2.1"},
        )
    assert local.status_code == liar.status_code == 429
    assert console.log_in().status_code == 303


@pytest.mark.parametrize(
    ("believed", "peer", "forwarded", "asking"),
    [
        ("127.0.0.0/8", "127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.0/8", "127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.0/8", "172.17.0.1", "198.51.100.1", "172.17.0.1"),
        ("172.16.0.0/12", "172.17.0.1", "198.51.100.1", "198.51.100.1"),
        ("172.16.0.0/12, 203.0.113.9", "172.17.0.1", "1.1.1.1, 198.51.100.1, 203.0.113.9", "198.51.100.1"),
        ("2001:db8::/32", "2001:db8::1", "no address", "no address"),
        ("*", "192.0.2.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("*", "192.0.2.1", "", "192.0.2.1"),
        ("127.0.0.0/8", "", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "127.0.0.1", "1.1.1.1, 198.51.100.1:50123", "198.51.100.1"),
        ("127.0.0.0/8", "127.0.0.1", "[2001:db8::7]:50123", "2001:db8::7"),
        ("127.0.0.0/8", "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::1/128", "::1", "2001:db8::7, ::1", "2001:db8::7"),
        ("127.0.0.0/8", "127.0.0.1", ",,198.51.100.1,", "198.51.100.1"),
    ],
)
def test_forwarded_addresses_of_untrusted_proxies_are_ignored(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    believed: str,
    peer: str,
    forwarded: str,
    asking: str,
) -> None:
    """What the nearest that is not one of them says of others is not."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", believed)
    networks = Settings.load(tmp_path / "none", partly=True).forwarded_allow_ips
    with running(tmp_path, forwarded_allow_ips=networks) as console:
        headers = {"X-Forwarded-For": forwarded}
        console.post("login", {"password": "x"}, headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert [record.address for record in caplog.records if "wrong password" in record.message] == [asking]  # type: ignore[attr-defined]


def test_one_network_of_ipv6_is_one_client(console: Console) -> None:
    """A client with one address of a /64 has all of them."""
    for number in range(MAX_PER_ADDRESS):
        elsewhere = {"REMOTE_ADDR": f"2001:db8:1:2:{number}::1"}
        assert console.post("login", {"password": "x"}, environ_base=elsewhere).status_code == 403
    for address, status in (("2001:db8:1:2:ffff::1", 429), ("2001:db8:1:3::1", 303)):
        answer = console.post("login", {"password": PASSWORD}, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == status


def test_guesses_do_not_lock_out_logged_in_editors(console: Console, clock: Clock) -> None:
    """They stay logged in, and can log in again when the session has ended; others wait."""
    console.log_in()
    clock.now += SESSION_LIFETIME.total_seconds() + 1
    stranger = Console(console.app, console.runtime)
    for number in range(MAX_IN_ALL):
        stranger.post("login", {"password": "x"}, environ_base={"REMOTE_ADDR": f"198.51.100.{number}"})
    assert stranger.log_in().status_code == 429
    assert console.get("try").status_code == 303
    assert [console.log_in("x").status_code for _ in range(MAX_PER_ADDRESS - 1)] == [403] * (MAX_PER_ADDRESS - 1)
    assert console.log_in().status_code == 303
    assert console.get("try").status_code == 200


class TestLoginThrottle:
    """The throttle alone."""

    def test_all_addresses_together(self) -> None:
        """Many addresses with a few attempts each."""
        throttle = LoginThrottle()
        assert not any(throttle.check(f"address {n}", now=float(n)) for n in range(MAX_IN_ALL))
        assert throttle.check("one more", now=MAX_IN_ALL) == THROTTLE_SECONDS - MAX_IN_ALL
        assert throttle.check("one more", now=THROTTLE_SECONDS) == 0.0

    def test_who_knew_it_in_the_end(self) -> None:
        """Starts again from nothing."""
        throttle = LoginThrottle()
        for _ in range(MAX_PER_ADDRESS - 1):
            throttle.check("a", now=0.0)
        throttle.check("b", now=0.0)
        throttle.reset("a")
        assert [throttle.check("a", now=1.0) for _ in range(MAX_PER_ADDRESS)] == [0.0] * MAX_PER_ADDRESS
        assert throttle.check("a", now=1.0) == THROTTLE_SECONDS


@pytest.mark.parametrize("page", ["login", *(page.name for page in PAGES), "nowhere", "static/console.css"])
def test_security_headers(console: Console, page: str) -> None:
    """Nothing inline or from other hosts, no type sniffing, no framing; and no page has inline scripts."""
    console.log_in()
    with console.get(page, follow_redirects=True) as answer:
        assert not re.search(r"<script>|<style|\son\w+=|\sstyle=|javascript:", answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_files_are_cached_and_pages_are_not(console: Console) -> None:
    """The URL of a file changes with its content."""
    page = console.get("login")
    assert page.headers["Cache-Control"] == "no-store"
    [address] = re.findall(r'"/(console/static/console\.css\?v=[0-9a-f]{12})"', page.text)
    with console.client.get(f"/{address}") as kept:
        assert (kept.status_code, kept.headers["Cache-Control"]) == (200, "public, max-age=31536000")
        assert "Set-Cookie" not in kept.headers
    with console.get("static/console.css") as nameless:
        assert "max-age" not in nameless.headers["Cache-Control"]


def test_the_language(console: Console) -> None:
    """The setting's, until the switch is used; then the session's, also over a log-in."""
    assert '<html lang="en">' in console.get("login").text
    switch = re.findall(r'href="(/console/login\?lang=vi)"', console.get("login").text)
    assert switch
    assert '<html lang="vi">' in console.client.get(switch[0]).text
    console.post("login?lang=vi", {"password": PASSWORD})
    assert '<html lang="vi">' in console.get("try").text
    assert 'href="/console/rules?q=a%26b&amp;lang=en"' in console.get("rules?q=a%26b").text


def test_the_language_switch_is_no_open_redirect(console: Console) -> None:
    """Whatever the address asks for."""
    console.log_in()
    page = console.get("rules?_external=1&_scheme=javascript&_anchor=x&_method=POST").text
    assert set(re.findall(r'href="([^"]*lang=vi)"', page)) == {
        "/console/rules?_external=1&amp;_scheme=javascript&amp;_anchor=x&amp;_method=POST&amp;lang=vi"
    }


def test_a_missing_page(console: Console) -> None:
    """With a link back."""
    console.log_in()
    answer = console.get("<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "There is no such page" in words(answer)
    assert "<script>alert" not in answer.text


def test_a_form_that_is_too_large(console: Console) -> None:
    """It is not read to its end."""
    console.log_in()
    answer = console.post("try", {"text": "a" * (MAX_FORM_BYTES + 1)})
    assert answer.status_code == 413
    assert "too large" in words(answer)


def test_a_starting_service(console: Console) -> None:
    """The page asks to come again."""
    console.log_in()
    console.runtime.stop()
    answer = console.get("rules")
    assert answer.status_code == 503
    assert "not ready" in words(answer)


def test_only_the_console_has_a_session(console: Console) -> None:
    """The webhook neither reads one nor sets a cookie."""
    kinds = []

    def other() -> str:
        kinds.append(type(session._get_current_object()))  # type: ignore[attr-defined]
        return "fine"

    console.app.add_url_rule("/other", view_func=other)
    answer = console.client.get("/other", headers={"Cookie": "console=x"})
    assert (answer.text, kinds) == ("fine", [NullSession])
    assert "Set-Cookie" not in answer.headers
