"""A text as the plain letters of an id: ``Bảng giá`` -> ``bang-gia``."""

from __future__ import annotations

import re

from bot.rules.language.text import fold

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """
    Return *text* in a-z, 0-9 and single hyphens; empty if nothing is left.

    >>> slug("Đặt hàng (mới)")
    'dat-hang-moi'
    """
    return _OTHER.sub("-", fold(text)).strip("-")
