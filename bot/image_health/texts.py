"""Texts for image checks by verdict: the finding, why it matters, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.files import FileSize, format_sizes
from bot.i18n import N_, Language, translator
from bot.image_health.verdict import CheckResult, Code


@dataclass(frozen=True, slots=True)
class ImageWords:
    """The texts about an image; *why* and *todo* are empty if nothing is to be done."""

    label: str
    """One or two words."""
    message: str
    """The end of a sentence about the image; may name `status`, `form` and `size`, see `facts`."""
    why: str = ""
    todo: str = ""

    def translated(self, lang: Language, **values: object) -> ImageWords:
        """Return the texts in *lang*, filled with *values*."""
        _ = translator(lang).gettext
        texts, written = (self.label, self.message, self.why, self.todo), format_sizes(values, lang)
        return ImageWords(*(_(text).format(**written) for text in texts))


_NOTHING: Final = N_("Where Zalo cannot fetch the picture, customers get nothing.")
_MAYBE_HERE: Final = N_(
    "Open the link on a phone (Wi-Fi off). If it opens, the trouble may be this machine's "
    "network; if not, put the picture somewhere else."
)

IMAGE_WORDS: Final[Mapping[Code, ImageWords]] = {
    "ok": ImageWords(N_("Fine"), N_("can be sent.")),
    "bad-address": ImageWords(
        N_("Bad address"),
        N_("this address is not usable."),
        _NOTHING,
        N_("Open the picture in a browser and copy its https link again."),
    ),
    "unknown-host": ImageWords(
        N_("No such server"),
        N_("there is no server of that name."),
        _NOTHING,
        N_(
            "See whether the name is spelt right and still paid for. Open the link on a phone (Wi-Fi "
            "off). If it opens, the trouble may be this machine's network; if not, put the picture "
            "somewhere else."
        ),
    ),
    "private-address": ImageWords(
        N_("Private network"),
        N_("this address lies in a private network."),
        N_("Zalo fetches pictures from the internet and cannot get in there; nor does the bot go there to look."),
        N_("Put the picture on a website that everybody can open."),
    ),
    "unreachable": ImageWords(N_("No connection"), N_("its server cannot be reached."), _NOTHING, _MAYBE_HERE),
    "tls": ImageWords(
        N_("Bad certificate"),
        N_("its server's certificate (TLS) is not valid."),
        _NOTHING,
        N_("Ask whoever runs the site to renew or mend its certificate, or put the picture somewhere else."),
    ),
    "too-slow": ImageWords(
        N_("Too slow"), N_("its server did not deliver it within 10 seconds."), _NOTHING, _MAYBE_HERE
    ),
    "broken-answer": ImageWords(
        N_("Broken answer"), N_("its server's answer breaks off or makes no sense."), _NOTHING, _MAYBE_HERE
    ),
    "bad-redirect": ImageWords(
        N_("Bad redirect"),
        N_("it is redirected in circles, or to an address that is not https."),
        _NOTHING,
        N_("Open the link in a browser and copy the address at which the picture itself ends up."),
    ),
    "error-answer": ImageWords(N_("Server error"), N_("its server answers HTTP {status}."), _NOTHING, _MAYBE_HERE),
    "needs-login": ImageWords(
        N_("Needs a log-in"),
        N_("only who is logged in or allowed may see it (HTTP {status})."),
        _NOTHING,
        N_("Share it with everybody, or put it where no log-in is needed; try the link in a private window."),
    ),
    "not-found": ImageWords(
        N_("Not found"),
        N_("there is nothing at this address (HTTP {status})."),
        _NOTHING,
        N_("Put the picture there again, or mend the link in the rules file."),
    ),
    "web-page": ImageWords(
        N_("A web page"),
        N_("it opens a web page, not the picture itself."),
        _NOTHING,
        N_('Right-click the picture, choose "Copy image address", and use that address.'),
    ),
    "not-an-image": ImageWords(
        N_("No JPG or PNG"),
        N_("it is no JPG or PNG (kind of file: {form})."),
        N_("Zalo takes JPG and PNG only."),
        N_("Save it as JPG or PNG; another ending of its name is not enough."),
    ),
    "too-large": ImageWords(
        N_("Too large"),
        N_("it has more than 1 MB ({size})."),
        N_("Zalo does not take pictures of more than 1 MB."),
        N_("Make it smaller or lower its quality; 1,280 pixels across are enough for a phone."),
    ),
    "no-file": ImageWords(
        N_("No such file"),
        N_("there is no such file beside the rules, or the bot may not read it."),
        N_("Without it, customers get nothing."),
        N_("Put the picture there, and let the bot's user read it."),
    ),
    "upload-refused": ImageWords(
        N_("Upload refused"),
        N_("the vendor does not take this file."),
        N_("What cannot be uploaded cannot be sent."),
        N_('Look for "not uploaded" in the log to see why, then save the picture as JPG again and replace the file.'),
    ),
    "expired": ImageWords(
        N_("Expired"),
        N_("the id has expired, seven days after the upload."),
        N_("Zalo refuses ids that have expired, and customers get nothing."),
        N_("Upload it again and put the new id and day into the rules. With image_url or file nothing expires."),
    ),
    "not-checked": ImageWords(N_("Not looked at"), N_("it was not looked at yet.")),
    "example-address": ImageWords(
        N_("Example address"),
        N_("this address is only an example; there is no server behind it."),
        N_("Customers get no picture from an example."),
        N_("Put the link to your own picture in its place."),
    ),
    "behind-proxy": ImageWords(
        N_("Cannot be seen from here"),
        N_("it cannot be looked at: this machine reaches the internet through a proxy."),
        N_("The bot connects to picture servers itself, to be sure not to enter a private network, and uses no proxy."),
        N_("Open the link on a phone (Wi-Fi off) to see whether the picture comes."),
    ),
    "no-upload-day": ImageWords(
        N_("Day of upload unknown"),
        N_("the day of its upload is not known."),
        N_("An id expires after seven days; without the day, nobody reminds you."),
        N_("Add uploaded: year-month-day beside attachment_id."),
    ),
}


def explain(result: CheckResult, lang: Language) -> ImageWords:
    """Return the texts for the result of a check, filled with its facts."""
    return IMAGE_WORDS[result.code].translated(lang, **facts(result))


def facts(result: CheckResult) -> dict[str, object]:
    """Return the values for `message`: the HTTP status, the format of the file and its size."""
    return {"status": result.http_status or "?", "form": result.format or "?", "size": _size(result)}


def _size(result: CheckResult) -> FileSize | str:
    if result.size is None:
        return "> 1 MB" if result.code == "too-large" else "?"
    return FileSize(result.size)
