"""Author and note of a publication: the fields of the form, and the cookie that remembers the author's name."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

from flask import Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot.rules.publishing.history import VersionInfo
from bot.rules.publishing.merge import Side
from bot.rules.publishing.publisher import digest
from bot.rules.publishing.rule_changes import RuleChanges
from bot.web.console import auth

COOKIE_NAME: Final = "console_author"
_DECIDES: Final = "decide:"
_YEAR_SECONDS: Final = 365 * 24 * 3600


def author() -> str:
    """Return the editor's name from this form, else from the cookie; empty if unknown."""
    given = _field("author")
    return VersionInfo.of(author=unquote(request.cookies.get(COOKIE_NAME, "")) if given is None else given).author


def note() -> str:
    """Return the note of this form."""
    return _field("note") or ""


def info(changes: RuleChanges | None, *, restored: str = "") -> VersionInfo:
    """Return author, note and changes of the version that this form publishes; the name goes into the cookie."""
    g.author = author()
    counts = str(changes.counts) if changes else ""
    return VersionInfo.of(author=g.author, note=note(), restored=restored, changes=counts)


def is_confirmed(content: bytes) -> bool:
    """Return whether the editor has confirmed that customers lose answers by exactly this content."""
    return request.form.get("confirmed") == digest(content)


def decisions(seen: str) -> dict[str, Side]:
    """Return the sides that the editor chose in conflicts with the rules file whose digest is *seen*."""
    if request.form.get("decided_over") != seen:
        return {}
    chosen = {name.removeprefix(_DECIDES): side for name, side in request.form.items() if name.startswith(_DECIDES)}
    sides: dict[str, Side] = {"mine": "mine", "theirs": "theirs"}
    return {name: sides[side] for name, side in chosen.items() if side in sides}


def remember_author(response: Response) -> Response:
    """Set the cookie with the author's name of a publication; an empty name deletes it."""
    name: str | None = g.get("author")
    if name is not None and name != unquote(request.cookies.get(COOKIE_NAME, "")):
        response.set_cookie(
            COOKIE_NAME,
            quote(name),
            max_age=_YEAR_SECONDS if name else 0,
            path=auth.PREFIX,
            secure=current_app.session_interface.get_cookie_secure(current_app),
            httponly=True,
            samesite="Lax",
        )
    return response


def _field(name: str) -> str | None:
    """Return a field of the form; None if it is missing, or if the form was too large to be read."""
    try:
        return request.form.get(name)
    except RequestEntityTooLarge:
        return None
