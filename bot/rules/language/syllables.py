"""Vietnamese syllables: which letters can be one, and which need no marks."""

from __future__ import annotations

import unicodedata

_INITIALS = "b c ch d g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"

# All rimes of the language, with the marks of the letters and without tones.
_RIMES = """
a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oem oen oeo oet oi om on
ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
u ua uc ui um un ung up ut uy uya uych uynh uyn uyp uyt uyu uyên uyêt uân uâng uât uây uê uêch uênh
uôc uôi uôm uôn uông uôt uơ ư ưa ưc ưi ưm ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
y yêm yên yêng yêt yêu
"""
_RIMES_AFTER_QU = """
a ac ach ai an ang anh ao at au ay ăc ăm ăn ăng ăp ăt ân âng ât ây e en eo et ê êch ên ênh êt êu
i ich in inh it iu ôc ơ ơi y ych ynh yt yên yêt
"""

_STOPS = ("c", "ch", "p", "t")  # a syllable with this ending always has a tone mark

# They look like words without marks, but are not words.
_NO_WORDS = frozenset({"dau", "dia", "gi", "giay", "gieng", "gui", "khong", "nua"})
# They look like words that lost their marks, but are loanwords in general use.
_LOANS = frozenset({"bot", "cap", "chat", "cut", "hot", "mac", "net", "pop", "set", "tip", "top"})


def _fold(rime: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", rime) if not unicodedata.combining(c))


def _joins(initial: str, rime: str) -> bool:
    """Return whether the spelling rules allow *initial* before the folded *rime*."""
    front = rime[0] in "iey"
    match initial:
        case "c" | "g" | "ng":
            return not front
        case "k" | "gh" | "ngh":
            return front
        case "gi":
            return rime[0] != "y"
        case "":
            return True
        case _:
            return rime == "y" or rime[0] != "y"


def _spelled(initial: str, rime: str) -> str:
    """Return the written syllable: ``gi`` before a rime with ``i`` drops one ``i`` (``gìn``, ``giêng``)."""
    return initial + (rime[1:] if initial == "gi" and rime[0] == "i" else rime)


def _syllables(*, bare: bool) -> frozenset[str]:
    """Return all syllables without marks; *bare*: only those that are words without marks."""
    initials = ["", *_INITIALS.split()]
    initials.remove("qu")
    rimes = _folded(_RIMES, bare=bare)
    found = {_spelled(initial, rime) for initial in initials for rime in rimes if _joins(initial, rime)}
    return frozenset(found | {"qu" + rime for rime in _folded(_RIMES_AFTER_QU, bare=bare)})


def _folded(rimes: str, *, bare: bool) -> set[str]:
    """Return the rimes without marks; *bare*: only those that are right without marks."""
    folded = {rime: _fold(rime) for rime in rimes.split()}
    return {plain for rime, plain in folded.items() if not bare or (plain == rime and not rime.endswith(_STOPS))}


_POSSIBLE = _syllables(bare=False)
_BARE = (_syllables(bare=True) - _NO_WORDS) | _LOANS


def is_syllable(letters: str) -> bool:
    """
    Return whether *letters* (folded) are a Vietnamese syllable with the right marks.

    >>> is_syllable("nhieu"), is_syllable("menu")
    (True, False)
    """
    return letters in _POSSIBLE


def needs_no_marks(letters: str) -> bool:
    """
    Return whether *letters* (folded) are a correct syllable without marks.

    Foreign words are no syllables, so the answer for them is false.

    >>> needs_no_marks("gia"), needs_no_marks("nhieu"), needs_no_marks("dat")
    (True, False, False)
    """
    return letters in _BARE
