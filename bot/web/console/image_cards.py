"""Image cards of the page Pictures: grouped by verdict, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, get_args
from urllib.parse import unquote, urlsplit

from bot.files import format_size
from bot.i18n import N_, Language
from bot.image_health.report import ImageHealth
from bot.image_health.texts import ImageWords, explain
from bot.images.formats import ACCEPTED
from bot.rules.model.schema import Image
from bot.web.console import formatting
from bot.zalo import ATTACHMENT_LIFETIME

#: How a picture stands, the worst first: `soon` it expires, `unsure`: nobody knows, `waiting`: for the first look.
ImageStatus = Literal["bad", "soon", "unsure", "waiting", "ok"]
STATUSES: Final[tuple[ImageStatus, ...]] = get_args(ImageStatus)

#: The age from which an attachment_id is one that expires soon, in days.
EXPIRY_WARNING_DAYS: Final = 5

# What a browser may show although Zalo does not take it.
_BROWSER_FORMATS: Final = ACCEPTED | {"GIF", "WebP", "AVIF", "BMP"}

_SOON: Final = ImageWords(
    N_("Expiring soon"),
    "",
    N_("Zalo keeps what was uploaded for {days} days; after that customers get nothing."),
    N_("Upload it again and put the new id and day into the rules. With image_url or file nothing expires."),
)


@dataclass(frozen=True, slots=True)
class ImageCard:
    """One picture as it is shown."""

    health: ImageHealth
    verdict: str
    """What the latest check found, a sentence."""
    is_check_pending: bool
    """Whether the next check comes in a moment."""

    @property
    def id(self) -> str:
        """What its place on the page is called."""
        return card_id(self.health.image.key)

    @property
    def image(self) -> Image:
        """The picture as rules name one."""
        return Image.model_validate({self.health.image.kind: self.health.image.reference})

    @property
    def name(self) -> str:
        """What people call it: a link by its end."""
        reference = self.health.image.reference
        if self.health.image.kind != "image_url":
            return reference
        parts = urlsplit(reference)
        name = unquote(parts.path.rpartition("/")[2])
        return (f"{name}?{parts.query}" if parts.query else name) or parts.netloc

    @property
    def place(self) -> str:
        """The server and the folder that a link leads to; empty for others."""
        if self.health.image.kind != "image_url":
            return ""
        parts = urlsplit(self.health.image.reference)
        return f"{parts.hostname}{unquote(parts.path.rpartition('/')[0])}"

    @property
    def is_looked_at(self) -> bool:
        """Whether checks tell how it stands; it needs none whose days are known, or whose address leads nowhere."""
        return self.health.image.kind != "attachment_id" and self.health.result.code not in {
            "example-address",
            "upload-refused",
        }

    @property
    def has_preview(self) -> bool:
        """Whether a browser is sent to fetch it: not before the bot has got one, least of all within our walls."""
        result = self.health.result
        match self.health.image.kind:
            case "attachment_id":
                return False
            case "file":
                return result.status != "bad" or result.code == "upload-refused"
        return result.format in _BROWSER_FORMATS or result.code in {"example-address", "behind-proxy"}

    @property
    def size(self) -> str:
        """How large it is; empty if that is not known."""
        size = self.health.result.size
        return "" if size is None else format_size(size, formatting.language())


@dataclass(frozen=True, slots=True)
class ImageSection:
    """Pictures of which the same is to be said."""

    group: ImageStatus
    words: ImageWords
    """What `words.said` holds is common to all of them; empty if each has its own."""
    cards: Sequence[ImageCard]


def card_id(key: str) -> str:
    """Return what the place of the picture with that key is called on the page."""
    return f"p-{key[:16]}"


def status_of(health: ImageHealth) -> ImageStatus:
    """Return how the picture stands."""
    result = health.result
    if result.status == "bad":
        return "bad"
    if result.code == "not-checked":
        return "waiting"
    if result.status == "unknown":
        return "unsure"
    return "soon" if health.age is not None and health.age >= EXPIRY_WARNING_DAYS else "ok"


def sort_worst_first(pictures: Iterable[ImageHealth]) -> list[ImageHealth]:
    """Return the worst first, those with one verdict together, else as they came."""
    return sorted(
        pictures,
        key=lambda health: (STATUSES.index(status_of(health)), health.result.code, health.result.http_status or 0),
    )


def group_cards(pictures: Iterable[ImageHealth], pending: frozenset[str], lang: Language) -> list[ImageSection]:
    """Return pictures that are in order, each with what is said of it."""
    found = []
    for (group, _), members in groupby(pictures, key=lambda health: (status_of(health), health.result.code)):
        cards = [card_of(health, pending, lang) for health in members]
        found.append(ImageSection(group, _common(group, cards, lang), cards))
    return found


def card_of(health: ImageHealth, pending: frozenset[str], lang: Language) -> ImageCard:
    """Return the picture as it is shown; *pending*: the keys of those that are looked at in a moment."""
    said = explain(health.result, lang).said
    return ImageCard(health, said[:1].upper() + said[1:], health.image.key in pending)


def _common(group: ImageStatus, cards: Sequence[ImageCard], lang: Language) -> ImageWords:
    if group == "soon":
        return _SOON.translated(lang, days=ATTACHMENT_LIFETIME.days)
    words = explain(cards[0].health.result, lang)
    said = cards[0].verdict if len({card.verdict for card in cards}) == 1 else ""
    return ImageWords(words.label, said, words.why, words.todo)
