"""Page Versions: the kept versions of the rules file with their authors; compare two."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Blueprint, abort, render_template, request
from werkzeug.exceptions import NotFound

from bot.rules.publishing.history import MAX_VERSIONS, Version
from bot.runtime import Runtime
from bot.web.console.publishing import check_notes as notes
from bot.web.console.publishing import progress, version_history
from bot.web.console.publishing.change_words import changes_text
from bot.web.console.publishing.check_notes import Note
from bot.web.console.publishing.check_session import CheckResult, CheckSession
from bot.web.console.publishing.progress import PageResponse

_LATEST: Final = 2


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add ``GET /check/versions``, which compares the versions named by ``?old=`` and ``?new=``."""
    session = CheckSession(runtime)

    @routes.get("/check/versions")
    def versions() -> PageResponse:
        if not runtime.settings.console_publish:
            abort(404)
        kept = session.publisher.versions()
        old, new = (_requested_version(kept, name) for name in ("old", "new"))
        if old is None or new is None:
            return _page(session, old, new, None)
        return progress.answered_ahead(
            partial(_compare_ahead, session, old, new),
            lambda: _page(session, old, new, _compared(session, old, new)),
        )


def _compare_ahead(session: CheckSession, old: Version, new: Version) -> PageResponse:
    """Compare for the request that follows; the page says why if that fails."""
    result = _compared(session, old, new)
    return _page(session, old, new, result) if isinstance(result, Note) else ""


def _page(
    session: CheckSession, old: Version | None, new: Version | None, result: CheckResult | Note | None
) -> PageResponse:
    kept = session.publisher.versions()
    page = render_template(
        "console/versions.html",
        history=list(version_history.entries(session.publisher, session.content(), MAX_VERSIONS)),
        kept=MAX_VERSIONS,
        old=old or next(reversed(kept[:_LATEST]), None),
        new=new or next(iter(kept), None),
        note=result if isinstance(result, Note) else None,
        result=result if isinstance(result, CheckResult) else None,
        changes=_words(result) if isinstance(result, CheckResult) else "",
    )
    return page, result.status if isinstance(result, Note) else 200


def _requested_version(kept: list[Version], field: str) -> Version | None:
    """Return the version named by a query parameter."""
    name = request.args.get(field)
    found = next((version for version in kept if version.name == name), None)
    if name and found is None:
        raise NotFound
    return found


def _compared(session: CheckSession, old: Version, new: Version) -> CheckResult | Note:
    before, after = session.publisher.read(old.name), session.publisher.read(new.name)
    if before is None or after is None:
        return notes.gone()
    return notes.compare(session, before, after)


def _words(result: CheckResult) -> str:
    """Return the changes in words, with the effect on messages if both versions are usable."""
    found = result.preview
    if found.comparison and found.comparison.messages:
        return result.headline
    return changes_text(found.rule_changes.counts) + "." if found.rule_changes else ""
