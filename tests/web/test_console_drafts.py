"""Drafts of the console's page Check, by a browser without JavaScript and by requests of its script."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from bot.inbox.editing.drafts import KEPT_SECONDS, MAX_DRAFT_BYTES
from bot.rules.publishing.publisher import digest
from bot.web.console import auth
from bot.web.console.publishing.draft_store import COOKIE_NAME
from tests.support.clock import Clock
from tests.support.console import RULES, Console, running, words

MINE = RULES + "# my own line\n"
HIDDEN = ("base_digest", "revision", "tab", "checked")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def console(tmp_path: Path, clock: Clock) -> Iterator[Console]:
    """Somebody is logged in where they may publish."""
    with running(tmp_path, clock=clock, console_publish=True) as found:
        found.log_in()
        yield found


def sent(page: TestResponse, text: str, **more: str) -> dict[str, str]:
    """Return what a browser sends with the form of a page."""
    inputs = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
    return {name: html.unescape(inputs[name]) for name in HIDDEN if name in inputs} | {"text": text} | more


def text_of(page: TestResponse) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


def autosaved(console: Console, page: TestResponse, text: str, **more: str) -> TestResponse:
    return console.post("check/autosave", sent(page, text, **more))


def test_a_draft_is_opened_again(console: Console) -> None:
    """With the time it was saved, its origin, and how long it is kept; the text is unchanged."""
    answer = autosaved(console, console.get("check?take=file"), MINE.replace("\n", "\r\n") + "  ")
    assert answer.json is not None
    assert re.fullmatch(r"Draft saved \d\d:\d\d", answer.json["text"])
    page = console.get("check")
    assert text_of(page) == MINE + "  "
    said = words(page)
    assert f"This is your draft. {answer.json['text']}. It was begun from the present rules." in said
    assert "Kept for 30 days in this browser alone" in said
    assert "Discard the draft" in said


def test_a_draft_belongs_to_its_browser(console: Console) -> None:
    """Another one with the same password has none; scripts and other sites cannot read the cookie."""
    answer = autosaved(console, console.get("check"), MINE)
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(COOKIE_NAME))
    assert {"HttpOnly", "SameSite=Lax", "Path=/console", f"Max-Age={int(KEPT_SECONDS)}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    behind_tls = console.get("check", headers={"X-Forwarded-Proto": "https"})
    assert "; Secure" in next(x for x in behind_tls.headers.getlist("Set-Cookie") if x.startswith(COOKIE_NAME))
    colleague = Console(console.app, console.runtime)
    colleague.log_in()
    assert text_of(colleague.get("check")) == ""
    assert text_of(console.get("check")) == MINE


def test_a_draft_names_the_version_it_began_from(console: Console) -> None:
    """If the rules have changed, with the time of that version."""
    autosaved(console, console.get("check?take=file"), MINE)
    rules = console.runtime.settings.rules_file
    rules.write_text(RULES + "# by hand\n", encoding="utf-8")
    shutil.rmtree(rules.parent / ".rules.yaml.history")
    assert "begun from a version that is not kept any more" in words(console.get("check"))
    colleague = Console(console.app, console.runtime)
    colleague.log_in()
    rules.write_text(RULES, encoding="utf-8")
    checked = colleague.post("check", sent(colleague.get("check?take=file"), RULES + "# theirs\n"))
    assert colleague.post("check/publish", sent(checked, RULES + "# theirs\n")).status_code == 303
    assert re.search(r"begun from the version of \d+ \w+ \d{4}, \d\d:\d\d; the rules have", words(console.get("check")))


def test_saving_without_javascript(console: Console) -> None:
    """Who has no script sees the draft and when it was saved."""
    page = console.get("check?take=file")
    answer = console.post("check/draft", sent(page, MINE.replace("\n", "\r\n")))
    assert (answer.status_code, answer.location) == (303, "/console/check")
    page = console.get("check")
    assert text_of(page) == MINE
    assert re.search(r"Save the draft Draft saved \d\d:\d\d", words(page))


def test_a_check_saves_the_draft_too(console: Console) -> None:
    """Whatever the check says of it; its page then goes on saving where this left off."""
    page = console.post("check", sent(console.get("check?take=file"), MINE + "ruls:"))
    assert text_of(console.get("check")) == MINE + "ruls:"
    assert autosaved(console, page, MINE).status_code == 200
    assert text_of(console.get("check")) == MINE


def test_two_tabs_do_not_overwrite_each_other(console: Console) -> None:
    """The later save gets a conflict, and may replace the other one."""
    one, two = console.get("check?take=file"), console.get("check?take=file")
    assert autosaved(console, one, MINE).status_code == 200
    refused = autosaved(console, two, RULES + "# other\n")
    assert refused.status_code == 409
    assert refused.json is not None
    assert "Not saved: this browser already has another draft, saved at" in refused.json["text"]
    assert text_of(console.get("check")) == MINE
    by_button = console.post("check/draft", sent(two, RULES + "# other\n"))
    assert by_button.status_code == 409
    assert text_of(by_button) == RULES + "# other\n"
    assert "this browser already has another draft" in words(by_button)
    found = re.search(r'name="replaces" value="(\d+)"', by_button.text)
    assert found
    again = console.post("check/draft", sent(by_button, RULES + "# other\n", replaces=found[1]))
    assert again.status_code == 303
    assert text_of(console.get("check")) == RULES + "# other\n"


def test_loading_a_file_does_not_hide_the_draft(console: Console) -> None:
    """The page links to it, and does not replace it by itself."""
    autosaved(console, console.get("check"), MINE)
    page = console.get("check?take=spa")
    assert "You have a draft. Draft saved" in words(page)
    assert 'href="/console/check">Open the draft' in page.text
    assert autosaved(console, page, "version: 1\n").status_code == 409
    assert text_of(console.get("check")) == MINE


def test_a_draft_is_discarded(console: Console) -> None:
    """Then the page is empty, and says nothing of drafts."""
    autosaved(console, console.get("check"), MINE)
    assert console.post("check/discard").status_code == 303
    page = console.get("check")
    assert "The draft is discarded." in words(page)
    assert text_of(page) == ""
    assert "your draft" not in words(page)
    assert autosaved(console, page, "version: 1\n").status_code == 200


def test_a_publication_ends_the_draft(console: Console) -> None:
    """A restored version leaves the draft as it is."""
    page = console.post("check", sent(console.get("check?take=file"), MINE))
    assert console.post("check/publish", sent(page, MINE)).status_code == 303
    assert text_of(console.get("check")) == ""
    autosaved(console, console.get("check"), "# next\n")
    page = console.get("check")
    [version, *_list] = re.findall(r'form="restore"[^>]* name="version" value="([^"]*)"', page.text)
    base = digest(MINE.encode())
    assert console.post("check/restore", {"base_digest": base, "version": version}).status_code == 303
    assert text_of(console.get("check")) == "# next\n"


def test_a_draft_of_another_tab_survives_a_publication(console: Console) -> None:
    """It is another text."""
    page = console.get("check?take=file")
    autosaved(console, console.get("check"), "# of the other tab\n")
    checked = console.post("check", sent(page, MINE))
    assert console.post("check/publish", sent(checked, MINE)).status_code == 303
    assert text_of(console.get("check")) == "# of the other tab\n"


@pytest.mark.parametrize("path", ["check", "check/publish", "check/draft"])
def test_a_form_after_the_end_of_the_session_is_saved_as_draft(console: Console, clock: Clock, path: str) -> None:
    """Nothing else is done; after the log-in the draft is there."""
    page = console.post("check", sent(console.get("check?take=file"), MINE))
    clock.now += auth.SESSION_LIFETIME.total_seconds() + 1
    longer = MINE + "# " + "dài " * 10_000
    answer = console.post(path, sent(page, longer))
    assert answer.location == "/console/login?next=/console/check"
    assert "Your text is kept as a draft." in words(console.get(answer.location.removeprefix("/console/")))
    assert console.runtime.settings.rules_file.read_text(encoding="utf-8") == RULES
    logged_in = console.post(answer.location.removeprefix("/console/"), {"password": "con mèo ngủ trưa"})
    assert logged_in.location == "/console/check"
    assert text_of(console.get("check")) == longer


def test_the_script_saves_after_the_end_of_the_session(console: Console, clock: Clock) -> None:
    """It gets the URL of the log-in."""
    page = console.get("check?take=file")
    clock.now += auth.SESSION_LIFETIME.total_seconds() + 1
    answer = autosaved(console, page, MINE)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["login"] == "/console/login?next=/console/check"
    console.log_in()
    assert text_of(console.get("check")) == MINE


def test_nothing_is_saved_after_a_log_out(console: Console) -> None:
    """Nor without an earlier log-in, nor from another site."""
    page = console.get("check?take=file")
    console.post("logout")
    assert autosaved(console, page, MINE).status_code == 303
    console.log_in()
    assert text_of(console.get("check")) == ""
    foreign = console.post("check/autosave", sent(page, MINE), headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 400


def test_another_site_saves_nothing_in_an_ended_session(console: Console, clock: Clock) -> None:
    """The cross-origin check holds there too."""
    page = console.get("check?take=file")
    clock.now += auth.SESSION_LIFETIME.total_seconds() + 1
    foreign = console.post("check/autosave", sent(page, MINE), headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 400
    console.log_in()
    assert text_of(console.get("check")) == ""


def test_too_large_a_draft_is_refused(console: Console) -> None:
    """The former one stays."""
    page = console.get("check")
    autosaved(console, page, MINE)
    answer = autosaved(console, page, "x" * (MAX_DRAFT_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json is not None
    assert answer.json["text"] == "Not saved: a draft may have 2,000,000 bytes at most."
    assert text_of(console.get("check")) == MINE


def test_invalid_fields_count_as_missing(console: Console) -> None:
    """What is no revision, digest, tab or cookie counts as none."""
    odd = {"text": MINE, "base_digest": "x" * 500, "revision": "9" * 40, "tab": "<b>"}
    console.client.set_cookie(COOKIE_NAME, "../etc", path="/console")
    assert console.post("check/autosave", odd).status_code == 200
    assert text_of(console.get("check")) == MINE
    assert console.post("check/autosave", odd | {"replaces": "abc", "revision": "-1"}).status_code == 409


def test_an_empty_draft_is_discarded(console: Console) -> None:
    """As if it had been discarded."""
    page = console.get("check")
    autosaved(console, page, MINE)
    assert autosaved(console, page, " \r\n").status_code == 200
    assert "your draft" not in words(console.get("check"))
    assert autosaved(console, console.get("check"), MINE).status_code == 200
