"""
The exceptions of this package, classified by how they are handled.

    BotError
    +- ConfigError            the process cannot start
    +- RulesError             the rules file cannot be used (in bot.rules.problem, holds its problems)
    +- WebhookError           answer the sender with .status
    |  +- BadSignature        401
    |  +- BadPayload          400
    +- StorageError           the database cannot be reached or takes no writes: try again later
    +- UnstorableValue        the database refuses this value, but takes others
    +- DeliveryError          the vendor did not take an image
       +- NotNow              try again after at least .retry_after seconds; .reached: the vendor itself asked for it
       +- Misconfigured       no image of this account can be sent until a person fixes the account or the settings
       +- Refused             give up: the event becomes a dead letter
       |  +- PictureRefused   send another image instead, if there is one
       |     +- PictureExpired   or upload this one again
       +- NotReady            the image must be uploaded first: try again in .wait seconds
       +- OutcomeUnknown      the image may have been sent: wait for the echo
"""

from __future__ import annotations

from typing import ClassVar, Final

#: Exit status of a process that could not start; with it, gunicorn stops instead of restarting the worker for ever.
COULD_NOT_RUN: Final = 3


class BotError(Exception):
    """Something went wrong in the bot."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ConfigError(BotError):
    """The settings cannot be used."""


class WebhookError(BotError):
    """The request is not a usable delivery of an event."""

    status: ClassVar[int] = 400


class BadSignature(WebhookError):
    """The signature is missing or does not match this body."""

    status = 401


class BadPayload(WebhookError):
    """The body is not a JSON object."""


class StorageError(BotError):
    """The database does not answer or takes no writes."""


class UnstorableValue(BotError):
    """The database cannot store this value."""


class DeliveryError(BotError):
    """The vendor did not take the image."""


class NotNow(DeliveryError):
    """The vendor is busy or cannot be reached."""

    def __init__(self, message: str | None = None, *, retry_after: float = 0.0, reached: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reached = reached


class Misconfigured(DeliveryError):
    """The vendor refuses this account."""


class Refused(DeliveryError):
    """The vendor refuses this image or this user, for good."""


class PictureRefused(Refused):
    """This image cannot be sent; another one perhaps can."""


class PictureExpired(PictureRefused):
    """The vendor no longer has the uploaded image."""


class NotReady(DeliveryError):
    """The image is not uploaded yet."""

    def __init__(self, message: str | None = None, *, wait: float, lasting: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.lasting = lasting
        """Whether the upload has failed several times in a row."""


class OutcomeUnknown(DeliveryError):
    """The request was sent and no usable answer came back."""
