"""What `bot doctor` says of the pictures."""

from __future__ import annotations

from typing import Final

from bot.doctor.texts import Texts, Words
from bot.image_health.texts import PICTURE_WORDS, PictureWords


def _about(words: PictureWords) -> Words:
    return Words(f"{{picture}}: {words.said}", words.why, words.todo)


PICTURES: Final[Texts] = {
    "pictures": {
        "vi": Words("{count} ảnh đã xem thử: gửi được."),
        "en": Words("{count} picture(s) looked at: fine."),
    },
    **{
        f"picture-{word}": {lang: _about(words) for lang, words in both.items()}
        for word, both in PICTURE_WORDS.items()
        if word != "ok"
    },
}
