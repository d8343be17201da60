"""Pictures: whether customers can get what the rules send; if not, why that matters and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.image_health.references import named
from bot.image_health.report import Health, PictureReports
from bot.image_health.schedule import Book
from bot.rules.engine import FALLBACK
from bot.runtime import Service
from bot.web.console import formatting
from bot.web.console.image_cards import GROUPS, Card, Group, card_id, card_of, group_of, in_order, sections

#: Pictures a page.
MOST: Final = 48
#: How often the page looks anew what came of a look that somebody asked for; it takes up to ten seconds.
_MOST_LOOKS: Final = 8


def add_routes(routes: Blueprint, service: Service) -> None:
    """
    Add the page, and the button that has a picture looked at again.

    ``?show=`` is one of GROUPS, ``?page=`` turns over; after the button ``?asked=`` is the place of the picture on the
    page, and ``?looks=`` how often what came of it has been looked for.
    """

    @routes.get("/pictures")
    def pictures() -> str:
        return _page(service)

    @routes.post("/pictures/again", endpoint="pictures_again")
    def again() -> AnyResponse:
        now, key = service.database.now(), request.form.get("key", "")
        where: dict[str, Any] = {
            "show": _chosen(request.form.get("show")),
            "page": request.form.get("page", type=int),
        }
        if all(picture.key != key for picture in named(service.watch.rules, now=now)):
            flash(
                formatting.t("Các luật đang chạy không còn dùng ảnh này.", "No rule in force sends that picture."),
                "warn",
            )
        elif Book(service.database).ask(key, now=now):
            where |= {"asked": card_id(key), "looks": 1, "_anchor": card_id(key)}
        else:
            flash(_too_soon(), "warn")
        return redirect(url_for("console.pictures", **where), 303)


def _page(service: Service) -> str:
    now, lang = service.database.now(), formatting.language()
    known = in_order(PictureReports(service.database).pictures(service.watch.rules, now=now))
    awaited = Book(service.database).awaited(now=now)
    chosen = _chosen(request.args.get("show"))
    listed = [health for health in known if chosen is None or group_of(health) == chosen]
    last = max(0, (len(listed) - 1) // MOST)
    page = min(max(0, request.args.get("page", 1, type=int) - 1), last)
    looks = request.args.get("looks", 0, type=int)
    followed = _followed(known, awaited)
    return render_template(
        "console/pictures.html",
        sections=sections(listed[page * MOST : (page + 1) * MOST], awaited, lang),
        counts=Counter(group_of(health) for health in known),
        groups=GROUPS,
        chosen=chosen,
        followed=followed,
        looks=looks + 1 if followed and followed.is_awaited and 0 < looks < _MOST_LOOKS else 0,
        page=page,
        pages_in_all=last + 1,
        previous=url_for("console.pictures", show=chosen, page=page) if page else None,
        next=url_for("console.pictures", show=chosen, page=page + 2) if page < last else None,
        trouble=service.watch.trouble,
        day=formatting.day,
        fallback=FALLBACK,
    )


def _followed(known: Iterable[Health], awaited: frozenset[str]) -> Card | None:
    """Return the picture that somebody has asked for."""
    asked = request.args.get("asked")
    found = next((health for health in known if card_id(health.picture.key) == asked), None) if asked else None
    return card_of(found, awaited, formatting.language()) if found else None


def _chosen(asked: str | None) -> Group | None:
    return next((group for group in GROUPS if group == asked), None)


def _too_soon() -> str:
    return formatting.t(
        "Ảnh này vừa được xem, hoặc sắp được xem. Bạn chờ một phút rồi bấm lại nhé.",
        "That picture was looked at just now, or is about to be. Try again in a minute.",
    )
