"""What `bot check --fix` mends by itself: pictures beside the rules file that are too big."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from bot.config import Language
from bot.images.resize import NotShrunk, Shrunk, shrink
from bot.rules.validate import Verdict

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "shrunk": (
        "{name}: đã thu nhỏ từ {old_size} ({old_sides}) còn {new_size} ({new_sides}{colours}). Ảnh gốc vẫn còn: {kept}",
        "{name}: made smaller, from {old_size} ({old_sides}) to {new_size} ({new_sides}{colours}). "
        "The original is kept: {kept}",
    ),
    "colours": (", 256 màu", ", 256 colours"),
    "not-shrunk": (
        "{name}: không thu nhỏ được, tệp vẫn như cũ; hãy mở ảnh ra và lưu lại nhỏ hơn",
        "{name}: cannot be made smaller and is as it was; open the picture and save it smaller",
    ),
    "no-pillow": (
        'muốn bot thu nhỏ ảnh phải cài thêm gói pillow; hãy chạy: pip install "zalo-picture-bot[pictures]"',
        'to make pictures smaller, the package pillow is needed; run: pip install "zalo-picture-bot[pictures]"',
    ),
}


def fix_pictures(verdict: Verdict, path: Path, lang: Language, *, aside: bool) -> None:
    """
    Make the pictures of the rules file at *path* small enough that *verdict* calls too big, and tell what was done.

    *aside*: tell it on the standard error, because the output is for programs.
    """
    names = [name for name, look in verdict.looks.items() if look.fault and look.fault.key == "file-too-big"]
    for name in names:
        try:
            told = _told(shrink(path.parent, name), lang)
        except NotShrunk:
            told = _say("not-shrunk", lang, name=name)
        except ImportError:
            click.echo(_say("no-pillow", lang), err=True)
            return
        click.echo(told, err=aside)
    if names:
        click.echo(err=aside)


def _told(shrunk: Shrunk, lang: Language) -> str:
    old_size, new_size = map(_amount, shrunk.size)
    old_sides, new_sides = (f"{width}×{height}" for width, height in shrunk.sides)
    return _say(
        "shrunk",
        lang,
        name=shrunk.name,
        kept=shrunk.kept_as,
        old_size=old_size,
        new_size=new_size,
        old_sides=old_sides,
        new_sides=new_sides,
        colours=_say("colours", lang) if shrunk.fewer_colours else "",
    )


def _amount(size: int) -> str:
    return f"{size / 1_048_576:.1f} MB" if size > 1_048_576 else f"{size / 1024:.0f} KB"


def _say(key: str, lang: Language, /, **args: str) -> str:
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)
