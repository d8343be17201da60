"""The Vietnamese texts are complete and fit the English ones; bot.po is read as gettext's own tools read it."""

from __future__ import annotations

import functools
import io
import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import PoTranslations, translator
from bot.rules.catalog.messages import MESSAGES
from tests.support.translations import ROOT, english, extracted, messages, translated, vietnamese

# Read by the tests, not at their collection, which every test worker does.
code, po_file = functools.cache(extracted), functools.cache(translated)
STATIC = ROOT / "bot" / "web" / "static"
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{\w*|%[a-z%]")
# Babel writes texts as lines; what Python takes for the end of one within a text is no matter of ours.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], include_characters="\n\t\r"), min_size=1)


def keys(catalog: Catalog) -> set[tuple[str, object]]:
    """Return the keys of the messages."""
    return {(message.context or "", message.id) for message in messages(catalog)}


def test_every_text_of_the_code_is_in_the_po_file_and_nothing_else() -> None:
    """``python -m tests.support.translations`` updates it."""
    assert keys(code()) - keys(po_file()) == set()
    assert keys(po_file()) - keys(code()) == set()
    assert not po_file().obsolete


def test_every_text_is_translated_and_not_fuzzy() -> None:
    """None is empty, none is a guess."""
    assert [message.id for message in messages(po_file()) if not vietnamese(message) or message.fuzzy] == []


def test_a_translation_has_the_placeholders_of_its_text() -> None:
    """The same names, and positional ones in the same order."""
    assert [message.id for message in messages(po_file()) if not _fits(english(message)[-1], vietnamese(message))] == []


def _fits(text: str, translation: str) -> bool:
    wanted, found = PLACEHOLDER.findall(text), PLACEHOLDER.findall(translation)
    by_position = [[sign for sign in signs if sign[0] == "%"] for signs in (wanted, found)]
    return set(found) == set(wanted) and by_position[0] == by_position[1]


@pytest.mark.parametrize(
    ("text", "translation"),
    [("{word} and {near}", "{word}"), ("{word}", "{wort}"), ("%s of %s", "%s"), ("100 %", "100 %s"), ("{{a}}", "a")],
)
def test_other_placeholders_are_detected(text: str, translation: str) -> None:
    """Otherwise the test above could not fail."""
    assert _fits(text, text)
    assert not _fits(text, translation)


def test_no_key_has_two_texts() -> None:
    """The later one would silently replace the other."""
    catalog = [message for message in messages(code()) if message.locations[0][0].startswith("bot/rules/catalog")]
    assert [key for key, count in Counter(message.context for message in catalog).items() if count > 1] == []
    assert len(catalog) == len(MESSAGES)


def test_the_po_file_is_read_like_babel_reads_it() -> None:
    """Every translation is the same."""
    vi = translator("vi")
    for message in messages(po_file()):
        first, last = english(message)[0], english(message)[-1]
        if message.context:
            assert vi.pgettext(message.context, first) == vietnamese(message)
        elif first != last:
            assert vi.ngettext(first, last, 1) == vi.ngettext(first, last, 2) == vietnamese(message)
        else:
            assert vi.gettext(first) == vietnamese(message)


@given(text=TEXTS, translation=TEXTS, context=st.none() | TEXTS)
def test_everything_that_babel_writes_is_read(text: str, translation: str, context: str | None) -> None:
    """Including quotes, backslashes and line ends."""
    catalog = Catalog(locale="vi")
    catalog.add(text, translation, context=context)
    file = io.BytesIO()
    write_po(file, catalog)
    vi = PoTranslations(file.getvalue().decode())
    assert (vi.pgettext(context, text) if context else vi.gettext(text)) == translation


def test_without_a_translation_the_english_text_is_shown() -> None:
    """As for a new text in Vietnamese."""
    for translations in (translator("en"), translator("vi")):
        assert translations.gettext("not a text of the bot") == "not a text of the bot"
        assert translations.gettext("") == ""
        assert translations.pgettext("key", "not a text of the bot") == "not a text of the bot"
        assert translations.ngettext("{n} pebble", "{n} pebbles", 1) == "{n} pebble"
        assert translations.ngettext("{n} pebble", "{n} pebbles", 2) == "{n} pebbles"


def test_every_text_of_the_editor_library_is_translated() -> None:
    """CodeMirror calls `phrase`, sometimes by a function that passes its argument on."""
    library = (STATIC / "codemirror.js").read_text("utf-8")
    [shorthand] = re.findall(r"function (\w+)\((\w+),(\w+)\)\{return \2\.state\.phrase\(\3\)\}", library)
    asked = {
        text
        for call in re.findall(rf"(?:\.phrase\(|\b{shorthand[0]}\(\w+,)([^)]+)", library)
        for text in re.findall(r'"([^"]+)"', call)
    }
    editor = (STATIC / "console-editor.js").read_text("utf-8")
    vietnamese_texts = re.search(r"const VIETNAMESE = \{(.*?)\};", editor, re.DOTALL)
    assert vietnamese_texts
    assert set(re.findall(r'"([^"]+)":', vietnamese_texts[1])) == asked
