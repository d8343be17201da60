"""
Translation (gettext): English stands in the code, other languages in locale/<language>/LC_MESSAGES/bot.po.

The .po file is read at run time, not compiled to a .mo: a checkout, an editable install and a wheel then work alike
without a build step, and no binary copy can be out of date. Reading takes some milliseconds, once per language in use.
"""

from __future__ import annotations

import gettext
import locale
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

#: The languages of texts for editors and operators.
Language = Literal["vi", "en"]

_LOCALE: Final = Path(__file__).with_name("locale")
_FIELD: Final = re.compile(r'^(msg[a-z_]+)(?:\[0\])? ((?:".*"\n?)+)', re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r"}
_CONTEXT_END: Final = "\x04"


def N_(message: str) -> str:
    """Mark a text for translation; it is translated later, when it is shown."""
    return message


def NN_(singular: str, plural: str) -> tuple[str, str]:
    """Mark a text with singular and plural for translation; it is translated later, by ngettext."""
    return singular, plural


def P(key: str, message: str) -> tuple[str, str]:
    """Mark the text *message* with its *key*, which is its context (msgctxt) for translators."""
    return key, message


def system_language() -> Language:
    """Return the language of the user's locale."""
    try:
        name = locale.getlocale()[0] or ""
    except ValueError:  # a locale that Python does not know
        name = ""
    return "vi" if name.lower().startswith("vi") else "en"


def format_date(day: date, language: str) -> str:
    """Return a day as the language writes it: 24/01/2027 in Vietnamese, 2027-01-24 in English."""
    return f"{day:%d/%m/%Y}" if language == "vi" else f"{day:%Y-%m-%d}"


@cache
def translator(language: str) -> gettext.NullTranslations:
    """
    Return the translations into *language*, such as ``vi``.

    Raises:
        FileNotFoundError: There is no .po file for it.
    """
    if language == "en":
        return gettext.NullTranslations()
    return PoTranslations((_LOCALE / language / "LC_MESSAGES" / "bot.po").read_text(encoding="utf-8"))


class PoTranslations(gettext.NullTranslations):
    """
    The content of a .po file whose language has no plural forms, such as Vietnamese.

    A text without a translation stays English.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self._texts: dict[str, str] = {}
        context = message = ""
        for field, quoted in _FIELD.findall(content):
            text = _unquote(quoted)
            if field == "msgctxt":
                context = text + _CONTEXT_END
            elif field == "msgid":
                message, context = context + text, ""
            elif field == "msgstr" and text and message:  # the entry of "" is the header
                self._texts[message] = text

    def gettext(self, message: str) -> str:
        """Return the translation of a text."""
        return self._texts.get(message, message)

    def pgettext(self, context: str, message: str) -> str:
        """Return the translation of a text that has a key or another context."""
        return self._texts.get(context + _CONTEXT_END + message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the translation of a text whose English depends on a count."""
        return self._texts.get(msgid1) or super().ngettext(msgid1, msgid2, n)


def _unquote(quoted: str) -> str:
    """Return the text of a field, given its lines in double quotes."""
    text = "".join(line[1:-1] for line in quoted.rstrip("\n").split("\n"))
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text) if "\\" in text else text
