"""
All messages about a rules file by key, and which of them are warnings.

A key is a code, or a code, a slash and a variant; only the code is shown. The key is the context (msgctxt) of the
message for translators.
"""

from __future__ import annotations

from typing import Final

from bot.rules.catalog.fields import FIELDS, IMAGE_FILES
from bot.rules.catalog.linting import LINTING
from bot.rules.catalog.syntax import FILE, YAML

#: The English message of every key.
MESSAGES: Final = dict((*FILE, *YAML, *FIELDS, *IMAGE_FILES, *LINTING))

#: The codes of warnings: the file works, but perhaps not as its editor intends.
WARNINGS: Final = frozenset(
    {
        "abbreviation-words",
        "active-over",
        "attachment-old",
        "attachment-old/expired",
        "attachment-old/future",
        "attachment-undated",
        "comma-keyword/quoted",
        "compound-keyword",
        "contains-keyword",
        "everyday-keyword",
        "exact-in-all-of",
        "comma-keyword/alternatives",
        "indentation/joined",
        "everyday-keyword/punctuation",
        "everyday-keyword/punctuation-exclude",
        "unmarked-keyword",
        "unmarked-keyword/near",
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
        "twin-keyword/short",
        "url-expires",
        "url-expires/date",
        "url-expires/over",
        "url-marks",
        "url-placeholder",
        "url-private",
    }
)
