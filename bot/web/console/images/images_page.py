"""Page Pictures: the health of the images that the rules send; request another check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.image_health.references import referenced_images
from bot.image_health.report import ImageHealth, ImageReports
from bot.image_health.schedule import CheckSchedule
from bot.rules.engine import FALLBACK
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.images.image_cards import (
    STATUSES,
    ImageCard,
    ImageStatus,
    card_id,
    card_of,
    group_cards,
    sort_worst_first,
    status_of,
)

#: Images per page.
PAGE_SIZE: Final = 48
#: How often the page reloads to show the result of a requested check, which takes up to ten seconds, on a busy
#: machine longer.
_MAX_REFRESHES: Final = 60


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the page, and the button that requests another check of an image.

    ``?show=`` is one of STATUSES, ``?page=`` the page number. After the button, ``?asked=`` is the HTML id of the
    image, and ``?looks=`` the number of reloads since.
    """

    @routes.get("/pictures")
    def pictures() -> str:
        return _page(runtime)

    @routes.post("/pictures/again", endpoint="pictures_again")
    def again() -> AnyResponse:
        now, key = runtime.database.now(), request.form.get("key", "")
        where: dict[str, Any] = {
            "show": chosen_status(request.form.get("show")),
            "page": request.form.get("page", type=int),
        }
        if all(picture.key != key for picture in referenced_images(runtime.rules_reloader.rules, now=now)):
            flash(
                _("No rule in force sends that picture."),
                "warn",
            )
        elif CheckSchedule(runtime.database).request(key, now=now):
            where |= {"asked": card_id(key), "looks": 1, "_anchor": card_id(key)}
        else:
            flash(_too_soon(), "warn")
        return redirect(url_for("console.pictures", **where), 303)


def _page(runtime: Runtime) -> str:
    now, lang = runtime.database.now(), formatting.language()
    known = sort_worst_first(ImageReports(runtime.database).images(runtime.rules_reloader.rules, now=now))
    pending = CheckSchedule(runtime.database).pending(now=now)
    chosen = chosen_status(request.args.get("show"))
    listed = [health for health in known if chosen is None or status_of(health) == chosen]
    last = max(0, (len(listed) - 1) // PAGE_SIZE)
    page = min(max(0, request.args.get("page", 1, type=int) - 1), last)
    refreshes = request.args.get("looks", 0, type=int)
    requested = _requested_card(known, pending)
    return render_template(
        "console/pictures.html",
        sections=group_cards(listed[page * PAGE_SIZE : (page + 1) * PAGE_SIZE], pending, lang),
        counts=Counter(status_of(health) for health in known),
        statuses=STATUSES,
        chosen=chosen,
        requested=requested,
        refreshes=refreshes + 1 if requested and requested.is_check_pending and 0 < refreshes < _MAX_REFRESHES else 0,
        page=page,
        pages_in_all=last + 1,
        previous=url_for("console.pictures", show=chosen, page=page) if page else None,
        next=url_for("console.pictures", show=chosen, page=page + 2) if page < last else None,
        trouble=runtime.rules_reloader.error,
        format_date=formatting.format_date,
        fallback=FALLBACK,
        has_library=runtime.settings.console_publish,
    )


def _requested_card(known: Iterable[ImageHealth], pending: frozenset[str]) -> ImageCard | None:
    """Return the card of the image whose check was requested."""
    requested = request.args.get("asked")
    found = next((health for health in known if card_id(health.image.key) == requested), None) if requested else None
    return card_of(found, pending, formatting.language()) if found else None


def chosen_status(name: str | None) -> ImageStatus | None:
    """Return the status to filter by; None: no filter."""
    return next((group for group in STATUSES if group == name), None)


def _too_soon() -> str:
    return _("That picture was looked at just now, or is about to be. Try again in a minute.")
