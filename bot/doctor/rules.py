"""Check whether the rules file is valid and whether the console may replace it; nothing is changed."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Final

from bot.doctor.finding import Finding, Level, Texts, Words
from bot.files import read_plain_file
from bot.i18n import N_, NN_
from bot.rules.validate import validate

TEXTS: Final[Texts] = {
    "rules": Words(NN_("{file}: usable; it holds {count} rule.", "{file}: usable; it holds {count} rules.")),
    "rules-warnings": Words(
        N_("{file}: usable; rules: {count}, warnings: {warnings}."),
        N_("Some messages may be answered in another way than you mean."),
        N_("See them with: bot check {file}"),
    ),
    "rules-errors": Words(
        NN_("{file}: {count} error.", "{file}: {count} errors."),
        N_("The bot keeps the last good rules, or does not start if there are none."),
        N_("See each and how to mend it: bot check {file}"),
    ),
    "rules-absent": Words(
        N_("{file}: there is no such file."),
        N_("Without rules there is nothing to answer with."),
        N_("Look at RULES_FILE, and run this command in the bot's directory."),
    ),
    "rules-unreadable": Words(
        N_("{file}: cannot be read ({reason})."),
        N_("Without rules there is nothing to answer with."),
        N_("Let the bot's user read it."),
    ),
    "publish": Words(N_("CONSOLE_PUBLISH: editors may replace {file} from /console.")),
    "publish-no-directory": Words(
        N_("CONSOLE_PUBLISH: the bot may not write in {directory}."),
        N_("It replaces {file} by writing another one beside it and renaming that, so it must write in the directory."),
        N_("Let the bot's user write in {directory}, or set CONSOLE_PUBLISH=false."),
    ),
}


def check_rules(path: Path, *, today: date) -> Finding:
    """Return whether the rules file is usable."""
    try:
        data = read_plain_file(path)
    except FileNotFoundError:
        return _finding("problem", "rules-absent", file=path)
    except OSError as error:
        return _finding("problem", "rules-unreadable", file=path, reason=type(error).__name__)
    verdict = validate(data, today=today, folder=path.parent)
    errors = sum(problem.severity == "error" for problem in verdict.problems)
    warnings = len(verdict.problems) - errors
    if verdict.rules is None:
        return _finding("problem", "rules-errors", file=path, count=errors)
    rules = len(verdict.rules.file.rules)
    level: Level = "warning" if warnings else "fine"
    return _finding(level, "rules-warnings" if warnings else "rules", file=path, count=rules, warnings=warnings)


def check_publishing(path: Path) -> Finding:
    """Return whether the console can replace the rules file; nothing is written."""
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return _finding("problem", "publish-no-directory", file=path, directory=folder)
    return _finding("fine", "publish", file=path)


def _finding(level: Level, code: str, **args: object) -> Finding:
    return Finding("rules", level, code, args)
