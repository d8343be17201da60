"""The draft of the rule form: the unsaved fields of one browser, stored on the server until they are published."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from bot.runtime import Runtime
from bot.web.console.formatting import gettext as _
from bot.web.console.publishing.draft_store import DraftStatus, DraftStore, saved_answer
from bot.web.console.rule_form import form_fields as forms
from bot.web.console.rule_form.opened_rule import OpenedRule

#: The fields that another page may fill in; such a form has its own draft.
FILLED_IN: Final = ("keyword", "example", "image", "wrong")
_NAME: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FormDraft:
    """A draft for the form."""

    fields: forms.Fields
    mark: str
    """The mark of the rule that the draft began from."""


class FormDrafts:
    """
    Opens and saves the draft of the requested form.

    *rule* is the name of the rule, empty for a new one; *name* is ``?draft=``, which distinguishes forms for new rules.
    """

    def __init__(self, runtime: Runtime, rule: str, name: str = "") -> None:
        self._store = DraftStore(runtime, f"rule {rule} {name}")
        self.args: Mapping[str, Any] = {"id": rule or None, "draft": name or None}
        """The query parameters of the form's URLs."""

    def open(self, rule: OpenedRule) -> tuple[FormDraft | None, DraftStatus]:
        """Return the draft and its status; None if there is none that differs from the rule."""
        saved = self._store.open()
        fields = json.loads(saved.content) if saved else rule.fields
        if saved is None or fields == rule.fields:
            return None, self._store.status(None, is_open=False)
        return FormDraft(fields, saved.base_digest), self._store.status(saved, is_open=True)

    def save(self, fields: forms.Fields) -> DraftStatus:
        """Save the fields of the sent form."""
        return self._store.save(_text(fields))

    def discard(self) -> None:
        """Discard the draft."""
        self._store.discard()

    def keep_at_login(self, *, is_script: bool) -> AnyResponse:
        """Save a form that was sent after the session had ended; return the redirect to the log-in, or JSON."""
        page = url_for("console.rule_edit", **self.args)
        return self._store.keep_at_login(_text(forms.fields_of_form(request.form)), page, is_script=is_script)


def requested(runtime: Runtime, filled_in: MultiDict[str, str] | None = None) -> FormDrafts:
    """Return the drafts of the requested form; *filled_in* has the fields from another page."""
    name = request.args.get("draft", "")
    given = [(key, text) for key in FILLED_IN for text in (filled_in or MultiDict()).getlist(key)]
    if not _NAME.fullmatch(name):
        name = hashlib.sha256(repr(given).encode(errors="replace")).hexdigest()[:16] if given else ""
    rule = request.args.get("id", "") if filled_in is None else filled_in.get("id", "")
    return FormDrafts(runtime, rule.strip(), name)


def keep_at_login(runtime: Runtime) -> AnyResponse:
    """Save a form that was sent after the session had ended."""
    return requested(runtime).keep_at_login(is_script=request.endpoint == "console.rule_draft")


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the route of the form's script, which saves during typing, and the route of the button that discards."""

    def drafts() -> FormDrafts:
        if not runtime.settings.console_publish:
            abort(404)
        return requested(runtime)

    @routes.post("/rules/draft", endpoint="rule_draft")
    def save() -> AnyResponse:
        return saved_answer(drafts().save(forms.fields_of_form(request.form)))

    @routes.post("/rules/draft/discard", endpoint="rule_draft_discard")
    def discard() -> AnyResponse:
        drafts().discard()
        flash(_("The draft is discarded."), "good")
        return redirect(url_for("console.rule_edit", id=request.args.get("id")), 303)


def _text(fields: forms.Fields) -> str:
    return json.dumps(fields, ensure_ascii=False)
