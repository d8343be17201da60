"""Stop words of chat messages, and words that editors forget to put marks on."""

from __future__ import annotations

from typing import Final

from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import fold


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_WORDS = _listed("""
ạ à ai anh bạn bao bị các cái chị cho chưa có còn của cũng đã dạ đang đây để đến đi đó được em gì hay không khi là lại
luôn mà mấy mình muốn này nào nè nha nhé nhiều như nữa ở ơi quá ra rất rồi sao sẽ shop thế thì tôi tới và vào vậy vâng
về với xin
""")

COMMON_WORDS: Final = frozenset(_WORDS)
"""Stop words: alone, none of them tells what a customer wants."""

COMMON_BY_LETTERS: Final = {fold(word): word for word in _WORDS}
"""The stop word with these letters, by its letters without marks."""

_OF_SHOPS = _listed("""
áo bánh chè cơm cũ đổi giá giảm giờ hàng hè hẹn khám lẻ màu món mở mới phí phòng phở quán răng rẻ sỉ số sữa thử trà trả
vải vốn
""")

LIKELY_MEANT: Final = {fold(word): word for word in _OF_SHOPS}
"""The word that these letters without marks most likely mean in the chats and rules of a shop."""

RARELY_BARE: Final = frozenset(
    _listed("ao com doi gia giam gio hang he hen kham le mo moi mon phi pho rang re si so sua")
)
"""The letters in LIKELY_MEANT that are hardly ever a word without marks."""

_FOREIGN = _listed("""
account add admin app apple auth baby bank bill blog body bonus book bot box brand buffet bus buy cafe call
canon card case cash chat check clip close cod code coffee color combo comment confirm cream credit deal
delivery demo design dell double email face facebook fake fan fashion file filter fix flash food form frame
free freeship full game gel gift giveaway gmail gold google grab gym hello help hi home host hot hotel hotline
inbox insta instagram internet iphone jean jeans job juice kid kids kit lady lap laptop lazada lens link list
live logo look love mail make makeup marketing mask massage media men menu message messenger mini model momo
money move nail new next nice note off office ok old oke online only open order out outlet pack page part pass
phone photo pin pizza plus pool pop post pro promotion qr rep reset review room sale salon samsung save scan
serum sell send service set ship shipper shop shopee show sim size skin sms sofa sold spa stick sticker stock
store story style super support sushi tag team test text ticket tiktok tip toner top tour trend upload use
video view villa vip visa voice voucher web website wifi win woman women xiaomi yes youtube zalo zoom
""")

FOREIGN_WORDS: Final = frozenset(_FOREIGN)
"""Loanwords and names: never read as mistyped, abbreviated or undecoded words."""


def is_word(letters: str) -> bool:
    """
    Return whether *letters* (folded) may be a Vietnamese word or are one of FOREIGN_WORDS.

    >>> is_word("hang"), is_word("size"), is_word("hagn")
    (True, True, False)
    """
    return letters in FOREIGN_WORDS or is_syllable(letters)


PUNCTUATION: Final = frozenset(".,?!…;:~-_/\"'“”‘’* ")
"""Punctuation of ordinary messages; a smiley has a bracket or a letter as well."""
