"""Form of one rule: add, change, switch off, copy and delete it; only its lines of the rules file change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from bot.inbox.editing.drafts import KEPT_SECONDS
from bot.inbox.queries import MAX_EVENT_ID, EventQueries
from bot.logs import redact
from bot.rules.model.field_parsers import DAYS, MATCHES
from bot.rules.model.schema import RuleFile
from bot.rules.problem import text_of
from bot.rules.publishing import edit
from bot.rules.publishing.publisher import digest
from bot.rules.reading.loader import load
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.images import image_uploads as uploads
from bot.web.console.images.image_uploads import Outcome
from bot.web.console.images.picker_routes import picks
from bot.web.console.publishing import check_notes as notes
from bot.web.console.publishing import progress, publication
from bot.web.console.publishing.check_notes import Note
from bot.web.console.publishing.check_session import CheckResult, CheckSession
from bot.web.console.publishing.draft_store import DraftStatus
from bot.web.console.publishing.progress import PageResponse
from bot.web.console.rule_form import form_draft, opened_rule
from bot.web.console.rule_form import form_fields as forms
from bot.web.console.rule_form.form_draft import FormDrafts
from bot.web.console.rule_form.form_mistakes import mistakes
from bot.web.console.rule_form.opened_rule import NotOpened, OpenedRule, UnknownRule

_SPARE_ROWS: Final = 3
_MAX_NAME_CHARACTERS: Final = 64  # kept in a cookie until the next page


@dataclass(frozen=True, slots=True)
class _Checked:
    """The result of the check, or why nothing was checked."""

    result: CheckResult | None = None
    checked: str = ""
    """The digest of the checked file if the form may publish it, else empty."""
    mine: str = ""
    """The rule as in the form, if somebody else has changed it since; else empty."""
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """How the form's draft stands."""

    drafts: FormDrafts
    status: DraftStatus = field(default_factory=DraftStatus)
    mark: str = ""
    """The mark of the rule that the form began from; empty: the present one."""


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the form and the actions on one rule; ``?id=`` names the rule, without it the form is for a new one.

    ``?keyword=`` and ``?example=``, which may be repeated, add to the rule's own; ``?image=``, the name of an image
    file, fills an empty reply. A form may post them to ``/rules/fill``, which keeps customers' words out of URLs.
    ``?wrong=`` is the id of a message that the rule should not have answered.
    """
    editor = _Editor(runtime)
    routes.post("/rules/fill", endpoint="rule_fill")(editor.fill)
    # For a change of language, or when the URL is opened again.
    routes.get("/rules/fill", endpoint="rule_fill_again")(lambda: redirect(url_for("console.unanswered")))
    routes.get("/rules/edit", endpoint="rule_edit")(editor.show)
    routes.post("/rules/edit", endpoint="rule_save")(editor.save)
    routes.post("/rules/act", endpoint="rule_act")(editor.act)


class _Editor:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._session = CheckSession(runtime)

    def show(self) -> PageResponse:
        """Show the form, filled in from the query."""
        opened = self._open(request.values.get("id", "").strip())
        if not isinstance(opened, OpenedRule):
            return opened
        drafts = form_draft.requested(self._runtime, request.values)
        draft, status = drafts.open(opened)
        if draft:
            return self._page(opened, draft.fields, _Kept(drafts, status, draft.mark))
        fields = _prefilled(opened.fields, self._wrongly_answered())
        if opened.index is None and fields.get("keywords"):
            fields = opened.named(fields)
        return self._page(opened, fields, _Kept(drafts, status))

    def fill(self) -> PageResponse:
        """Show the form, filled in from a suggestion on another page; the rule's name may have been typed."""
        name = request.form.get("id", "").strip()
        if name and all(rule.id != name for rule in self._runtime.rules_reloader.rules.file.rules):
            flash(_("No rule has the name {name}.").format(name=forms.clean(name)[:_MAX_NAME_CHARACTERS]), "warn")
            return redirect(url_for("console.unanswered"), 303)
        return self.show()

    def save(self) -> PageResponse:
        """Check the rule in the form and show the result; publish it if exactly this was checked before."""
        opened = self._open(request.args.get("id", ""))
        if not isinstance(opened, OpenedRule):
            return opened
        drafts = form_draft.requested(self._runtime)
        try:
            outcomes = self._uploaded()
        except RequestEntityTooLarge:
            return self._page(opened, opened.fields, _Kept(drafts), _Checked(note=_note_too_large()))
        uploaded = [("pick", outcome.name) for outcome in outcomes if outcome.name]
        fields = opened.named(forms.fields_of_form(MultiDict([*request.form.items(multi=True), *uploaded])))
        if "move" in request.form:
            fields = forms.moved_up(fields, request.form.get("move", 0, type=int))
        page = partial(self._page, opened, fields, _Kept(drafts, drafts.save(fields)), outcomes=outcomes)
        if "move" in request.form:
            return page()
        if wrong := mistakes(fields):
            return page(_Checked(note=Note(" ".join(wrong), 422, "bad")))
        work = partial(self._check_or_publish, opened, fields, page, has_new_images=bool(outcomes))
        if request.form.get("action") != "publish":
            return progress.answered(work)
        return progress.answered_ahead(partial(self._check_ahead, opened, opened.written(fields), page), work)

    def _check_ahead(self, opened: OpenedRule, content: bytes, page: Callable[..., PageResponse]) -> PageResponse:
        """Check the file for the request that publishes it; *page* says why if that fails."""
        result = notes.check(self._session, content, digest(opened.content), may_reuse=True)
        return page(_Checked(note=result)) if isinstance(result, Note) else ""

    def _check_or_publish(
        self, opened: OpenedRule, fields: forms.Fields, page: Callable[..., PageResponse], *, has_new_images: bool
    ) -> PageResponse:
        """Publish the rule if exactly this was checked before, else check it and show the result on *page*."""
        content = opened.written(fields)
        if request.form.get("mark", opened.mark) != opened.mark:
            return page(_Checked(mine=text_of(opened.place_in(content).content), note=_note_changed()))
        publishes = request.form.get("action") == "publish"
        result = notes.check(self._session, content, digest(opened.content), may_reuse=publishes)
        if isinstance(result, Note):
            return page(_Checked(note=result))
        checked = digest(content)
        is_seen = request.form.get("checked") == checked and not has_new_images
        if not publishes or not request.form.get("checked"):
            return page(_Checked(result, checked))
        if not is_seen:
            is_same = request.form.get("over") == digest(opened.content)
            return page(_Checked(result, checked, note=notes.edited() if is_same else notes.merged()))
        if refusal := notes.publish(self._session, result, content, digest(opened.content)):
            return page(_Checked(result, checked, note=refusal))
        form_draft.requested(self._runtime).discard()
        return self._published(str(fields["id"]))

    def act(self) -> PageResponse:
        """Switch a rule on or off, copy or delete it; ask first before a deletion or if customers lose answers."""
        name = request.form.get("id", "")
        opened = self._open(name, must_fit=False)
        if not isinstance(opened, OpenedRule) or opened.index is None:
            return opened if not isinstance(opened, OpenedRule) else abort(404)
        copy = opened_rule.free_id(opened.content, name)
        acts: dict[str, Callable[[bytes, int], bytes]] = {
            "off": lambda content, index: edit.change_rule(content, index, {"enabled": "false"}),
            "on": lambda content, index: edit.change_rule(content, index, {"enabled": None}),
            "copy": lambda content, index: opened_rule.copied(content, index, copy),
            "delete": edit.delete_rule,
        }
        act = acts.get(request.form.get("action", "")) or abort(400)
        content = act(opened.content, opened.index)

        def page(seen: _Checked) -> PageResponse:
            return self._page(opened, opened.fields, seen=seen)

        work = partial(self._act, opened, name, content, page, copy)
        return progress.answered_ahead(partial(self._check_ahead, opened, content, page), work)

    def _act(
        self, opened: OpenedRule, name: str, content: bytes, page: Callable[..., PageResponse], copy: str
    ) -> PageResponse:
        """Publish what is done with a rule, or ask first; *copy* is the name that a copy gets."""
        action = request.form["action"]
        result = notes.check(self._session, content, digest(opened.content), may_reuse=True)
        if isinstance(result, Note):
            return page(_Checked(note=result))
        must_ask = action == "delete" or result.preview.loses
        if result.preview.is_usable and must_ask and not publication.is_confirmed(content):
            return render_template("console/rule_confirm.html", name=name, result=result, confirmed=digest(content))
        if refusal := notes.publish(self._session, result, content, digest(opened.content)):
            return page(_Checked(result, note=refusal))
        if action == "copy":
            flash(_("This is the copy. It is switched off: change it, and switch it on."), "good")
            return redirect(url_for("console.rule_edit", id=copy), 303)
        return self._published("" if action == "delete" else name)

    def _open(self, name: str, *, must_fit: bool = True) -> OpenedRule | PageResponse:
        """Return the rule of that name, a new one without a name, or a redirect to the text editor."""
        if not self._runtime.settings.console_publish:
            abort(404)
        content = self._session.content() or b""
        try:
            return opened_rule.opened(content, rules_of(self._runtime, content), name, must_fit=must_fit)
        except NotOpened as obstacle:
            flash(obstacle.reason, "warn")
            return redirect(url_for("console.check", take="file", line=obstacle.line), 303)
        except UnknownRule:
            return abort(404)

    def _uploaded(self) -> list[Outcome]:
        """Add the images that were sent with the form to the library."""
        files = uploads.received("upload")
        if not files:
            return []
        try:
            with uploads.uploading():
                return [uploads.stored(self._runtime.image_library, file) for file in files]
        except uploads.Busy:
            return [uploads.busy()]

    def _wrongly_answered(self) -> list[str]:
        """Return the text of the message ``?wrong=``, masked."""
        number = request.args.get("wrong", 0, type=int)
        event = EventQueries(self._runtime.database).event(number) if 0 < number <= MAX_EVENT_ID else None
        return [redact(event.text)] if event and event.text else []

    def _published(self, name: str) -> AnyResponse:
        return redirect(url_for("console.rules", q=name or None, published=1, _anchor=name or None), 303)

    def _page(
        self,
        opened: OpenedRule,
        fields: forms.Fields,
        kept: _Kept | None = None,
        seen: _Checked | None = None,
        outcomes: Sequence[Outcome] = (),
    ) -> PageResponse:
        name = str(opened.fields.get("id", ""))
        kept, seen = kept or _Kept(FormDrafts(self._runtime, name)), seen or _Checked()
        page = render_template(
            "console/rule_edit.html",
            name=name,
            mark=kept.mark or opened.mark,
            status=kept.status,
            draft_args=kept.drafts.args,
            draft_days=int(KEPT_SECONDS / 86_400),
            is_outdated=kept.mark not in {"", opened.mark},
            fields=fields,
            keywords=forms.keyword_rows(fields.get("keywords", [])) + [("", "phrase")] * _SPARE_ROWS,
            exclude=forms.keyword_rows(fields.get("exclude", [])) + [("", "phrase")] * _SPARE_ROWS,
            images=[*forms.image_rows(fields.get("reply", [])), forms.image_rows([{"image_url": ""}])[0]],
            active=fields.get("active", {}),
            hours=_hours(fields.get("active")),
            cooldown=forms.amount_and_unit(str(fields.get("cooldown", ""))),
            events=formatting.event_names(formatting.language()),
            matches=MATCHES,
            days=DAYS,
            day_first=forms.day_first,
            note=seen.note,
            result=seen.result,
            checked=seen.checked,
            over=digest(opened.content),
            mine=seen.mine,
            theirs=text_of(opened.text),
            outcomes=outcomes,
            picks=picks(self._runtime.image_library),
            max_bytes=uploads.MAX_UPLOAD_BYTES,
        )
        return page, seen.note.status if seen.note else 200


def rules_of(runtime: Runtime, content: bytes) -> RuleFile | None:
    """Return the parsed rules file; it is parsed again only if it is not the one in force."""
    rules = runtime.rules_reloader.rules
    return rules.file if rules.digest == digest(content) else load(content).file


def _prefilled(fields: forms.Fields, not_examples: list[str]) -> forms.Fields:
    """Return the fields with the additions of the query."""
    given = {
        "keywords": request.values.getlist("keyword"),
        "examples": request.values.getlist("example"),
        "not_examples": not_examples,
    }
    more: forms.Fields = {}
    for key, texts in given.items():
        known = fields.get(key)
        old = known if isinstance(known, list) else []
        new = [text for text in map(forms.clean, texts) if text and text not in old]
        if new:
            more[key] = [*old, *new]
    image = forms.clean(request.args.get("image", ""))
    if image and not fields.get("reply"):
        more["reply"] = {"file": image}
    return {**fields, **more}


def _hours(active: object) -> tuple[str, str]:
    """Return the start and end of the opening hours, empty if missing."""
    hours = active.get("hours", "") if isinstance(active, dict) else ""
    start, _dash, end = str(hours).partition("-")
    return start, end


def _note_too_large() -> Note:
    text = _("Go back in the browser: what you typed is still there.")
    return Note(f"{uploads.too_large().text} {text}", 413, "bad")


def _note_changed() -> Note:
    return Note(
        _("Somebody else changed this rule meanwhile. Nothing was written; compare the two, then press again."),
        409,
        "bad",
    )
