"""JSON route with live advice on the rule in the form, called during typing."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, abort, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from bot.analysis.preview import Preview
from bot.analysis.preview_process import PreviewTimeout, PreviewTooLarge
from bot.rules.publishing.publisher import digest
from bot.runtime import Runtime
from bot.web.console.publishing.check_session import Busy, CheckSession
from bot.web.console.rule_form import form_fields as forms
from bot.web.console.rule_form import opened_rule
from bot.web.console.rule_form import rule_advice as advising
from bot.web.console.rule_form.form_mistakes import mistakes
from bot.web.console.rule_form.opened_rule import NotOpened, UnknownRule
from bot.web.console.rule_form.rule_editor_page import rules_of


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add ``POST /rules/live``, which takes the fields of ``POST /rules/edit`` without files.

    It returns ``{advice, checked}``: a list of ``{kind, text}``, and the value of the form's field ``checked`` with
    which the rule is published at once; empty if the editor must confirm something first. It returns null while other
    previews run.
    """
    session = CheckSession(runtime)

    @routes.post("/rules/live")
    def rule_live() -> AnyResponse | tuple[str, int]:
        if not runtime.settings.console_publish:
            abort(404)
        content = session.content() or b""
        try:
            rule = opened_rule.opened(content, rules_of(runtime, content), request.args.get("id", ""))
        except (NotOpened, UnknownRule):
            return "", 409
        fields = rule.named(forms.fields_of_form(request.form))
        todo = [*(advising.Advice("bad", text) for text in mistakes(fields)), *advising.missing(fields)]
        if mistakes(fields) or not advising.has_condition(fields):
            return jsonify(advice=[asdict(one) for one in todo], checked="")
        written = rule.written(advising.judgeable(fields))
        place = rule.place_in(written)
        try:
            found = session.explain(written, advising.messages_to_explain(fields))
        except Busy:
            return jsonify(None)
        except (PreviewTimeout, PreviewTooLarge):
            return "", 422
        is_same = request.form.get("mark", rule.mark) == rule.mark
        checked = digest(written) if is_same and not todo and _is_harmless(found) else ""
        advice = [*todo, *advising.advice(found, place, fields)]
        return jsonify(advice=[asdict(one) for one in advice], checked=checked)


def _is_harmless(found: Preview) -> bool:
    """Return whether the file is usable and changes or loses no answer of a customer."""
    return found.comparison is not None and not found.loses and not found.comparison.count("changed")
