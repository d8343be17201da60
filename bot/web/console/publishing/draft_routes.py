"""Routes that save and discard the draft of the page Check."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.runtime import Runtime
from bot.web.console.formatting import gettext as _
from bot.web.console.publishing.draft_store import DraftStore, saved_answer


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the route of the page's script, which saves while somebody types, and that of a button to discard."""
    store = DraftStore(runtime)

    @routes.post("/check/autosave", endpoint="check_autosave")
    def autosave() -> AnyResponse:
        return saved_answer(store.save(request.form.get("text", "")))

    @routes.post("/check/discard", endpoint="check_discard")
    def discard() -> AnyResponse:
        store.discard()
        flash(_("The draft is discarded."), "good")
        return redirect(url_for("console.check"), 303)


def keep_at_login(runtime: Runtime) -> AnyResponse:
    """Keep the text of the page Check that was sent after the session had ended."""
    is_script = request.endpoint == "console.check_autosave"
    return DraftStore(runtime).keep_at_login(
        request.form.get("text", ""), url_for("console.check"), is_script=is_script
    )
