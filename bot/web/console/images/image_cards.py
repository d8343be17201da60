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

#: The status of an image, the worst first. `soon`: it expires soon; `unsure`: unknown; `waiting`: not checked yet.
ImageStatus = Literal["bad", "soon", "unsure", "waiting", "ok"]
STATUSES: Final[tuple[ImageStatus, ...]] = get_args(ImageStatus)

#: The age at which an attachment_id counts as expiring soon, in days.
EXPIRY_WARNING_DAYS: Final = 5

# Formats that browsers can show although Zalo does not accept them.
_BROWSER_FORMATS: Final = ACCEPTED | {"GIF", "WebP", "AVIF", "BMP"}

_SOON: Final = ImageWords(
    N_("Expiring soon"),
    "",
    N_("Zalo keeps what was uploaded for {days} days; after that customers get nothing."),
    N_("Upload it again and put the new id and day into the rules. With image_url or file nothing expires."),
)


@dataclass(frozen=True, slots=True)
class ImageCard:
    """One image on the page."""

    health: ImageHealth
    verdict: str
    """The result of the latest check, as a sentence."""
    is_check_pending: bool
    """Whether a check is due or in progress."""

    @property
    def id(self) -> str:
        """The id of its HTML element."""
        return card_id(self.health.image.key)

    @property
    def image(self) -> Image:
        """The image as in the rules file."""
        return Image.model_validate({self.health.image.kind: self.health.image.reference})

    @property
    def name(self) -> str:
        """A short name: for a link, the end of its path."""
        reference = self.health.image.reference
        if self.health.image.kind != "image_url":
            return reference
        parts = urlsplit(reference)
        name = unquote(parts.path.rpartition("/")[2])
        return (f"{name}?{parts.query}" if parts.query else name) or parts.netloc

    @property
    def place(self) -> str:
        """The host and folder of a link; empty for other images."""
        if self.health.image.kind != "image_url":
            return ""
        parts = urlsplit(self.health.image.reference)
        return f"{parts.hostname}{unquote(parts.path.rpartition('/')[0])}"

    @property
    def is_checkable(self) -> bool:
        """Whether checks apply to it: not to an attachment_id, a link to an example host or a refused upload."""
        return self.health.image.kind != "attachment_id" and self.health.result.code not in {
            "example-address",
            "upload-refused",
        }

    @property
    def has_preview(self) -> bool:
        """Whether the page shows it: only once the bot has fetched it, as its host may be an internal one."""
        result = self.health.result
        match self.health.image.kind:
            case "attachment_id":
                return False
            case "file":
                return result.status != "bad" or result.code == "upload-refused"
        return result.format in _BROWSER_FORMATS or result.code in {"example-address", "behind-proxy"}

    @property
    def size(self) -> str:
        """Its file size; empty if unknown."""
        size = self.health.result.size
        return "" if size is None else format_size(size, formatting.language())


@dataclass(frozen=True, slots=True)
class ImageSection:
    """Images with the same verdict."""

    group: ImageStatus
    words: ImageWords
    """The texts; `words.message` is empty if it differs between the images."""
    cards: Sequence[ImageCard]


def card_id(key: str) -> str:
    """Return the id of the HTML element of the image with that key."""
    return f"p-{key[:16]}"


def status_of(health: ImageHealth) -> ImageStatus:
    """Return the status of the image."""
    result = health.result
    if result.status == "bad":
        return "bad"
    if result.code == "not-checked":
        return "waiting"
    if result.status == "unknown":
        return "unsure"
    return "soon" if health.age is not None and health.age >= EXPIRY_WARNING_DAYS else "ok"


def sort_worst_first(images: Iterable[ImageHealth]) -> list[ImageHealth]:
    """Return the worst first, images with the same verdict together, and else in the given order."""
    return sorted(
        images,
        key=lambda health: (STATUSES.index(status_of(health)), health.result.code, health.result.http_status or 0),
    )


def group_cards(images: Iterable[ImageHealth], pending: frozenset[str], lang: Language) -> list[ImageSection]:
    """Return the sections of sorted images, with their cards."""
    found = []
    for (group, _), members in groupby(images, key=lambda health: (status_of(health), health.result.code)):
        cards = [card_of(health, pending, lang) for health in members]
        found.append(ImageSection(group, _common(group, cards, lang), cards))
    return found


def card_of(health: ImageHealth, pending: frozenset[str], lang: Language) -> ImageCard:
    """Return the card of an image; *pending* has the keys of images whose check is due or in progress."""
    message = explain(health.result, lang).message
    return ImageCard(health, message[:1].upper() + message[1:], health.image.key in pending)


def _common(group: ImageStatus, cards: Sequence[ImageCard], lang: Language) -> ImageWords:
    if group == "soon":
        return _SOON.translated(lang, days=ATTACHMENT_LIFETIME.days)
    words = explain(cards[0].health.result, lang)
    message = cards[0].verdict if len({card.verdict for card in cards}) == 1 else ""
    return ImageWords(words.label, message, words.why, words.todo)
