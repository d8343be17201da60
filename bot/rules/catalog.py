"""
Everything that editors are told about a rules file, in Vietnamese and in English, by code.

A key is a code, or a code and a variant of it behind a slash; only the code is shown.
"""

from __future__ import annotations

from typing import Final

from bot.rules.clash_messages import CLASHES
from bot.rules.field_messages import FIELDS
from bot.rules.file_messages import FILE
from bot.rules.picture_messages import PICTURES
from bot.rules.yaml_messages import YAML

MESSAGES: Final = {**FILE, **YAML, **FIELDS, **PICTURES, **CLASHES}

#: What informs and does not stop: the file works, perhaps not as its editor thinks.
WARNINGS: Final = frozenset(
    {
        "abbreviation-words",
        "active-over",
        "attachment-old",
        "attachment-old/expired",
        "attachment-old/future",
        "attachment-undated",
        "comma-keyword/quoted",
        "contains-keyword",
        "everyday-keyword",
        "exclude-kills/mostly",
        "everyday-keyword/twin",
        "hash-comment/after",
        "literal-keyword",
        "literal-keyword/unsure",
        "losing-keyword",
        "more-problems/warnings",
        "pattern-everything",
        "redundant-keyword",
        "redundant-keyword/same",
        "same-keyword",
        "twin-keyword",
        "url-expires",
        "url-marks",
        "url-placeholder",
        "url-private",
    }
)
