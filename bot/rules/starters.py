"""Starter rules files for a new shop, by kind of shop; the editor replaces the links."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bot.i18n import N_

#: The names of the kinds, by file name in the folder `starters`.
STARTERS: Final = {
    "tiem-banh": N_("Bakery"),
    "thoi-trang": N_("Fashion"),
    "spa": N_("Spa"),
    "dien-thoai": N_("Phone shop"),
    "trung-tam": N_("School"),
}
_FOLDER: Final = Path(__file__).with_name("starters")


def starter(name: str) -> bytes | None:
    """Return the starter of that name; None if there is none."""
    return (_FOLDER / f"{name}.yaml").read_bytes() if name in STARTERS else None
