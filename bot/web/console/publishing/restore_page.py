"""Page that restores an earlier version of the rules file: its effect on customers, author and note."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.rules.publishing.history import Version
from bot.rules.publishing.publisher import digest
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.publishing import check_notes as notes
from bot.web.console.publishing import progress
from bot.web.console.publishing.check_notes import Note
from bot.web.console.publishing.check_session import CheckResult, CheckSession
from bot.web.console.publishing.progress import PageResponse


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page; ``?version=`` is the name of the version."""
    page = _RestorePage(runtime)
    routes.get("/check/restore", endpoint="restore")(page.show)
    routes.post("/check/restore", endpoint="restore_publish")(page.restore)


class _RestorePage:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._session = CheckSession(runtime)

    def show(self) -> PageResponse:
        """Show which messages would be answered differently."""
        found = self._version(request.args.get("version", ""))
        if found is None:
            return _gone()
        return progress.answered_ahead(
            partial(self._check_ahead, *found), lambda: self._page(*found, self._checked(found[1]))
        )

    def restore(self) -> PageResponse:
        """Publish the version if the file has not changed since the editor saw it; else show why not."""
        found = self._version(request.form.get("version", ""))
        if found is None:
            return _gone()
        return progress.answered_ahead(partial(self._check_ahead, *found), partial(self._restored, *found))

    def _restored(self, version: Version, content: bytes) -> PageResponse:
        result = self._checked(content)
        if isinstance(result, Note):
            return self._page(version, content, result)
        if request.form.get("base_digest") != result.seen:
            return self._page(version, content, result, notes.changed())
        if refusal := notes.publish(self._session, result, content, result.seen, restored=version.name):
            return self._page(version, content, result, refusal)
        flash(notes.restored(self._time(version)), "good")
        return redirect(url_for("console.check", published=1), 303)

    def _version(self, name: str) -> tuple[Version, bytes] | None:
        """Return the version with that name and its content; None if it is not kept."""
        if not self._runtime.settings.console_publish:
            abort(404)
        version, content = self._session.version(name), self._session.publisher.read(name)
        return (version, content) if version is not None and content is not None else None

    def _checked(self, content: bytes) -> CheckResult | Note:
        return notes.check(self._session, content, digest(self._session.content()), may_reuse=True)

    def _check_ahead(self, version: Version, content: bytes) -> PageResponse:
        """Check the version before the request that shows the result; return a page only if that fails."""
        result = self._checked(content)
        return self._page(version, content, result) if isinstance(result, Note) else ""

    def _page(
        self, version: Version, content: bytes, result: CheckResult | Note, note: Note | None = None
    ) -> PageResponse:
        note = result if isinstance(result, Note) else note
        page = render_template(
            "console/restore.html",
            version=version,
            info=self._session.publisher.info(version.name),
            time=self._time(version),
            result=None if isinstance(result, Note) else result,
            note=note,
            confirmed=digest(content),
        )
        return page, note.status if note else 200

    def _time(self, version: Version) -> str:
        return formatting.format_time(version.since, self._runtime.rules_reloader.rules.zone, year=True)


def _gone() -> AnyResponse:
    flash(notes.gone().text, "warn")
    return redirect(url_for("console.versions"), 303)
