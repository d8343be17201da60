"""Tells what a rule in the form would do, as JSON, while somebody fills it in."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, abort, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from bot.analysis.preview import Preview
from bot.analysis.preview_process import PreviewTimeout, PreviewTooLarge
from bot.rules.publishing.publisher import digest
from bot.runtime import Runtime
from bot.web.console import opened_rule
from bot.web.console import rule_advice as advising
from bot.web.console import rule_form as forms
from bot.web.console.check_session import Busy, CheckSession
from bot.web.console.opened_rule import NotOpened, UnknownRule
from bot.web.console.pages.rule_editor import rules_of


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add ``POST /rules/live``, which takes what ``POST /rules/edit`` does, without files.

    It answers ``{said, checked}``: a list of ``{kind, text}``, and what the form sends as its ``checked`` to publish
    the rule as it is, empty where there is something to look at first. Null: others are being answered, ask again.
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
        todo = advising.missing(fields)
        if not advising.has_condition(fields):
            return jsonify(said=[asdict(one) for one in todo], checked="")
        written = rule.written(advising.judgeable(fields))
        place = rule.place_in(written)
        try:
            found = session.look(written, advising.asked_about(fields))
        except Busy:
            return jsonify(None)
        except (PreviewTimeout, PreviewTooLarge):
            return "", 422
        is_same = request.form.get("mark", rule.mark) == rule.mark
        checked = digest(written) if is_same and not todo and _is_harmless(found) else ""
        said = [*todo, *advising.advice(found, place, fields)]
        return jsonify(said=[asdict(one) for one in said], checked=checked)


def _is_harmless(found: Preview) -> bool:
    """Return whether the file can be used, and customers neither lose answers by it nor get others than now."""
    return found.comparison is not None and not found.loses and not found.comparison.count("changed")
