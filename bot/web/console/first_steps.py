"""Checklist of the first steps of a new editor; a step is ticked when it has really happened."""

from __future__ import annotations

import logging
from collections.abc import Set
from dataclasses import dataclass

from flask import Blueprint, redirect, url_for
from werkzeug import Response

from bot.errors import StorageError
from bot.inbox.editing.first_steps import FirstSteps, Step
from bot.inbox.statistics.rollup import Statistics
from bot.rules.engine import image_files
from bot.runtime import Runtime
from bot.web.console.formatting import gettext as _

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListedStep:
    """One line of the checklist."""

    text: str
    hint: str
    link: tuple[str, str]
    """URL and label of the page for the step; both empty if it is done on a customer's phone."""
    is_done: bool


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the button that closes the checklist for all editors."""

    @routes.post("/first-steps/close")
    def first_steps_close() -> Response:
        FirstSteps(runtime.database).close()
        return redirect(url_for("console.overview"), 303)


def checklist(runtime: Runtime) -> list[ListedStep]:
    """Return the steps; none if the list was closed, or if customers wrote before the list existed."""
    kept = FirstSteps(runtime.database)
    last_message = Statistics(runtime.database).last_received()
    if not kept.is_settled():
        (kept.begin if last_message is None else kept.close)()
    taken = kept.taken()
    if taken is None:
        return []
    done = set(taken.done)
    if "message" not in done and last_message is not None and last_message >= taken.begun_at:
        kept.take("message")
        done.add("message")
    lines = _lines(taken.chat_link, publishes=runtime.settings.console_publish)
    return [ListedStep(text, hint, link, step in done) for step, (text, hint, link) in lines.items()]


def take(runtime: Runtime, step: Step) -> None:
    """Tick the step; if that cannot be stored, it is only logged."""
    try:
        FirstSteps(runtime.database).take(step)
    except StorageError:
        log.warning("a first step was not stored", exc_info=True)


def take_if_image_is_new(runtime: Runtime, files: Set[str]) -> None:
    """Tick the step "own image" if one of the files is not named by the rules in force."""
    taken = FirstSteps(runtime.database).taken()
    if taken is None or "rule" in taken.done:
        return
    if files - image_files(runtime.rules_reloader.rules.file):
        take(runtime, "rule")


def _lines(chat_link: str, *, publishes: bool) -> dict[Step, tuple[str, str, tuple[str, str]]]:
    """Return the texts and the link of each step; some steps exist only with publishing."""
    chat = (chat_link, _("Open the chat")) if chat_link else ("", "")
    where = _("In the chat of the demo.") if chat_link else _("From your own phone, to your OA.")
    found: dict[Step, tuple[str, str, tuple[str, str]]] = {
        "message": (_("Write a message as a customer"), where, chat),
        "looked": (
            _("See which rule answered it"),
            _("Open the message in the list."),
            (url_for("console.events"), _("Open the messages")),
        ),
        "rule": (
            _("Add or change a rule, with a picture of your own"),
            _("Choose the picture in the form of the rule."),
            (url_for("console.rule_edit"), _("Create a rule")),
        ),
        "tried": (
            _("Chat with the draft"),
            _("No customer sees it yet."),
            (url_for("console.check"), _("Open the draft")),
        ),
        "published": (
            _("Publish it"),
            _("From the form of the rule, or here. Customers get it at once."),
            (url_for("console.check"), _("Open the draft")),
        ),
    }
    return found if publishes else {step: found[step] for step in ("message", "looked", "tried")}
