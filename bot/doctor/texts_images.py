"""What `bot doctor` says of the pictures."""

from __future__ import annotations

from typing import Final, get_args

from bot.config import Language
from bot.doctor.texts import Texts, Words
from bot.i18n import translator
from bot.image_health.texts import PICTURE_WORDS, PictureWords


def _about(words: PictureWords, lang: Language) -> Words:
    said, why, todo = (translator(lang).gettext(text) for text in (words.said, words.why, words.todo))
    return Words(f"{{picture}}: {said}", why, todo)


PICTURES: Final[Texts] = {
    "pictures": {
        "vi": Words("{count} ảnh đã xem thử: gửi được."),
        "en": Words("{count} picture(s) looked at: fine."),
    },
    **{
        f"picture-{word}": {lang: _about(words, lang) for lang in get_args(Language)}
        for word, words in PICTURE_WORDS.items()
        if word != "ok"
    },
}
