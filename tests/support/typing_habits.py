"""How customers type a sentence: marks left out, teencode, lost spaces, typos, raw Telex and VNI, by a seed."""

from __future__ import annotations

import csv
import random
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from math import sqrt
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from tests.support.keystrokes import HOOK, TILDE, letters, near_keys, spelled, telex, vni, without_marks

_DATA = Path(__file__).parent.parent / "data"

_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")
_NUMBERED = "size|cỡ|số|màu|mẫu|mã|quận|lớp|tầng|lầu|thứ|tháng|loại|set|combo|tặng"
"""Words that a number is glued to behind (size38); before a word it is glued to any that is counted (2màu)."""
_NUMBER_GAP = re.compile(rf"(?<=\d) (?=[^\W\d_])(?!có\b|còn\b)|\b(?:{_NUMBERED}) (?=\d)", re.IGNORECASE)

_VOWELS = "aeiouy"
_UNCOUNTED_TIMES = 25
"""How a form that customers of shops type weighs, where nobody counted it."""


class Utterance(NamedTuple):
    """A sentence with all its marks (NFC), and the place of the keyword in it, end exclusive."""

    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The keyword as the sentence has it."""
        return self.text[self.start : self.end]

    def with_keyword(self, typed: str) -> str:
        """Return the sentence with *typed* in place of the keyword."""
        return self.text[: self.start] + typed + self.text[self.end :]


Habit = Callable[[random.Random, Utterance], str | None]
"""Returns the sentence as typed, or None where the habit has nothing to change."""


def typed(name: str, utterance: Utterance, draws: int = 1) -> list[str]:
    """
    Return the sentences that *draws* customers with the habit *name* type; none where it does not apply.

    The seed is the habit, the sentence and the draw: other sentences of the corpus change nothing.
    """
    seeds = (random.Random(f"{name} {draw}: {utterance.text}") for draw in range(draws))
    return [text for chance in seeds if (text := HABITS[name](chance, utterance)) is not None]


def _has_marks(word: str) -> bool:
    return without_marks(word) != word


def _change_one_word(chance: random.Random, utterance: Utterance, change: Callable[[str], str | None]) -> str | None:
    """Return the sentence with one word of the keyword changed; of those that *change* can change, any."""
    keyword = utterance.keyword
    changed = [
        (word.span(), new) for word in _WORD.finditer(keyword) if (new := change(word[0])) not in (None, word[0])
    ]
    if not changed:
        return None
    (start, end), new = chance.choice(changed)
    return utterance.with_keyword(keyword[:start] + str(new) + keyword[end:])


def leave_out_marks(chance: random.Random, utterance: Utterance) -> str | None:
    """No mark at all."""
    return without_marks(utterance.text)


def decompose(chance: random.Random, utterance: Utterance) -> str | None:
    """NFD, as macOS and some phones send it."""
    return unicodedata.normalize("NFD", utterance.text)


def capitalise(chance: random.Random, utterance: Utterance) -> str | None:
    """All in capitals."""
    return utterance.text.upper()


def move_tones(chance: random.Random, utterance: Utterance) -> str | None:
    """Every tone on another vowel of its word, where there is one: gía, hoà for hòa, cuả."""
    moved = _WORD.sub(lambda word: _tone_moved(chance, word[0]), utterance.text)
    return moved if moved != utterance.text else None


def _tone_moved(chance: random.Random, word: str) -> str:
    parts = list(letters(word))
    at = next((n for n, (_, _, tone) in enumerate(parts) if tone), None)
    others = [n for n, (base, _, _) in enumerate(parts) if base.lower() in _VOWELS and n != at]
    if at is None or not others:
        return word
    to = chance.choice(others)
    tones = {at: "", to: parts[at][2]}
    return spelled([(base, shape, tones.get(n, old)) for n, (base, shape, old) in enumerate(parts)])


def leave_half_bare(chance: random.Random, utterance: Utterance) -> str | None:
    """Half of the words that have marks lose them."""
    marked = [word.span() for word in _WORD.finditer(utterance.text) if _has_marks(word[0])]
    if len(marked) < 2:
        return None
    bare = set(chance.sample(marked, len(marked) // 2))
    return _WORD.sub(lambda word: without_marks(word[0]) if word.span() in bare else word[0], utterance.text)


def stretch(chance: random.Random, utterance: Utterance) -> str | None:
    """The last letter of one keyword word repeated, with or without its marks: giáaa, giááá, shoppp."""
    times = chance.randint(2, 4)
    bare = chance.random() < 0.5
    return _change_one_word(
        chance, utterance, lambda word: word + (without_marks(word[-1]) if bare else word[-1]) * times
    )


def mistype(chance: random.Random, utterance: Utterance) -> str | None:
    """One slip in a keyword word of five letters or more: dropped, doubled by a near key, replaced, or two swapped."""
    return _change_one_word(chance, utterance, lambda word: _slip(chance, word) if len(word) >= 5 else None)


def _slip(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    near = chance.choice(near_keys(without_marks(word[at]).lower()))
    swapped = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    slips = [word[:at] + word[at + 1 :], word[:at] + near + word[at + 1 :], word[: at + 1] + near + word[at + 1 :]]
    return chance.choice([*slips, swapped] if swapped != word else slips)


@cache
def short_forms() -> dict[str, list[tuple[str, float]]]:
    """Return by meaning the forms that customers type for it, each with its weight."""
    forms: dict[str, list[tuple[str, float]]] = {}
    with (_DATA / "short_forms.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            times = int(row["times"]) if row["times"] else _UNCOUNTED_TIMES
            forms.setdefault(row["meaning"], []).append((row["form"], sqrt(times)))
    return forms


def abbreviate(chance: random.Random, utterance: Utterance) -> str | None:
    """One word or phrase of the keyword as teencode; frequent forms more often, by the root of their count."""
    keyword = utterance.keyword
    words = [word.span() for word in _WORD.finditer(keyword)]
    found = [
        (start, end, forms)
        for first, (start, _) in enumerate(words)
        for _, end in words[first:]
        if (forms := short_forms().get(keyword[start:end].lower()))
    ]
    if not found:
        return None
    start, end, forms = chance.choice(found)
    (form,) = chance.choices([form for form, _ in forms], [weight for _, weight in forms])
    return utterance.with_keyword(keyword[:start] + form + keyword[end:])


def abbreviate_without_marks(chance: random.Random, utterance: Utterance) -> str | None:
    """The same in a sentence without marks."""
    short = abbreviate(chance, utterance)
    return None if short is None else without_marks(short)


def lose_space_in_keyword(chance: random.Random, utterance: Utterance) -> str | None:
    """One space of the keyword lost."""
    lost = _without_a_space(chance, utterance.keyword)
    return lost and utterance.with_keyword(lost)


def lose_space(chance: random.Random, utterance: Utterance) -> str | None:
    """One space lost anywhere between two words."""
    return _without_a_space(chance, utterance.text)


def glue_number(chance: random.Random, utterance: Utterance) -> str | None:
    """A number glued to the word beside it, at the keyword's edge or inside it: size38, 2màu."""
    spaces = [gap.end() - 1 for gap in _NUMBER_GAP.finditer(utterance.text)]
    last = utterance.end - utterance.keyword[-1].isdigit()  # behind "tặng 1" begins another phrase
    near = [at for at in spaces if utterance.start - 1 <= at <= last]
    return _without_character(utterance.text, chance.choice(near)) if near else None


def _without_a_space(chance: random.Random, text: str) -> str | None:
    gaps = [match.start() for match in _GAP.finditer(text)]
    return _without_character(text, chance.choice(gaps)) if gaps else None


def _without_character(text: str, at: int) -> str:
    return text[:at] + text[at + 1 :]


def type_raw_telex(chance: random.Random, utterance: Utterance) -> str | None:
    """One keyword word as Telex keys; most people press the tone last."""
    tone_last, one_w = chance.random() < 0.7, chance.random() < 0.5
    return _change_one_word(chance, utterance, lambda word: telex(word, tone_last=tone_last, one_w=one_w))


def type_all_raw_telex(chance: random.Random, utterance: Utterance) -> str | None:
    """The whole sentence as Telex keys: the input method is off."""
    tone_last, one_w = chance.random() < 0.7, chance.random() < 0.5
    return _WORD.sub(lambda word: telex(word[0], tone_last=tone_last, one_w=one_w), utterance.text)


def type_raw_vni(chance: random.Random, utterance: Utterance) -> str | None:
    """One keyword word as VNI keys."""
    tone_last, one_seven = chance.random() < 0.7, chance.random() < 0.5
    return _change_one_word(chance, utterance, lambda word: vni(word, tone_last=tone_last, one_seven=one_seven))


_SWAPPED_TONES: Final = {HOOK: TILDE, TILDE: HOOK}


def swap_hook_and_tilde(chance: random.Random, utterance: Utterance) -> str | None:
    """Hỏi and ngã swapped in one keyword word."""
    return _change_one_word(
        chance,
        utterance,
        lambda word: spelled([(base, shape, _SWAPPED_TONES.get(tone, tone)) for base, shape, tone in letters(word)]),
    )


_LOANS = frozenset({"vat", "vip", "voucher"})


def _bare_i_to_j(word: str) -> str:
    return word.replace("i", "j") if len(word) > 1 else word


def _z_for_v_d_gi(word: str) -> str:
    """
    Return the word as those write it who hear v, d and gi alike; foreign words stay.

    >>> [_z_for_v_d_gi(word) for word in ("vậy", "dùng", "giá", "gì", "vip")]
    ['zậy', 'zùng', 'zá', 'zì', 'vip']
    """
    return word if word in _LOANS else re.sub(r"^(?:gi(?=[^\W\d_])|g(?=[iìíỉĩị]$)|[vd])", "z", word)


def _y_for_i(word: str) -> str:
    swapped = str.maketrans("iìíỉĩịyỳýỷỹỵ", "yỳýỷỹỵiìíỉĩị")
    return word[:-1] + word[-1].translate(swapped) if re.fullmatch(r"[hklmstHKLMST][iìíỉĩịyỳýỷỹỵ]", word) else word


_SHORT_HABITS: Final[tuple[Callable[[str], str], ...]] = (
    lambda word: re.sub("ng$", "g", word),
    lambda word: re.sub("nh$", "h", word),
    lambda word: re.sub("^ph", "f", word),
    _bare_i_to_j,
    _z_for_v_d_gi,
    _y_for_i,
    lambda word: {"gửi": "gởi"}.get(word, word),
)


def write_by_habit(chance: random.Random, utterance: Utterance) -> str | None:
    """One keyword word with a habit of spelling: hàg, thàh, fí, shjp, zá, lí, gởi."""
    keyword = utterance.keyword
    changes = [
        (word.span(), new)
        for word in _WORD.finditer(keyword)
        for habit in _SHORT_HABITS
        if (new := habit(word[0])) != word[0]
    ]
    if not changes:
        return None
    (start, end), new = chance.choice(changes)
    return utterance.with_keyword(keyword[:start] + new + keyword[end:])


HABITS: Final = MappingProxyType[str, Habit](
    {
        "marks left out": leave_out_marks,
        "NFD": decompose,
        "capitals": capitalise,
        "tone on another vowel": move_tones,
        "half the words bare": leave_half_bare,
        "keyword word stretched": stretch,
        "typo in a word of 5 letters": mistype,
        "teencode in the keyword": abbreviate,
        "teencode, marks left out": abbreviate_without_marks,
        "space lost in the keyword": lose_space_in_keyword,
        "space lost anywhere": lose_space,
        "raw Telex": type_raw_telex,
        "raw Telex throughout": type_all_raw_telex,
        "raw VNI": type_raw_vni,
        "hỏi and ngã swapped": swap_hook_and_tilde,
        "number glued": glue_number,
        "short habits": write_by_habit,
    }
)
