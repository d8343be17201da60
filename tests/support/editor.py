"""An editor at the console of a real bot, as a browser without JavaScript."""

from __future__ import annotations

import html
import re
from typing import Any

import requests

from bot.rules.publishing.publisher import digest
from tests.support.console import PASSWORD
from tests.support.running import PATIENCE, Bot


class Editor:
    """A logged-in editor; the session survives a restart of the bot."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._session = requests.Session()
        assert self.post("login", {"password": PASSWORD}).status_code == 200

    def get(self, path: str) -> str:
        """Return the text of a page, without markup, on one line."""
        answer = self._session.get(f"{self._bot.url}/console/{path}", timeout=PATIENCE)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())

    def post(self, path: str, form: dict[str, str], **more: Any) -> requests.Response:
        """Send a form."""
        url, headers = f"{self._bot.url}/console/{path}", {"Sec-Fetch-Site": "same-origin"}
        return self._session.post(url, data=form, headers=headers, timeout=PATIENCE, **more)

    def publish(self, content: bytes, *, over: bytes | None = None) -> int:
        """Publish over the present content, or over *over*; return the status: 303 on success."""
        base = digest(self._bot.rules.read_bytes() if over is None else over)
        form = {"text": content.decode(), "checked": digest(content), "base_digest": base}
        return self.post("check/publish", form, allow_redirects=False).status_code

    def upload(self, name: str, image: bytes) -> int:
        """Add an image to the library; return the status."""
        return self.post("pictures/library", {}, files={"image": (name, image)}).status_code

    def add_in_form(self, name: str, image: bytes) -> int:
        """Add an image as the rule form does; return the status."""
        return self.post("pictures/pick", {}, files={"image": (name, image)}).status_code
