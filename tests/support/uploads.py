"""Uploads for browser tests: a camera's photo, a chosen file, a drop and a paste."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import ExifTags, Image
from playwright.sync_api import FilePayload, Page

from tests.support.console import PASSWORD
from tests.support.running import Bot

_RULES = """\
version: 1
rules:
  - id: menu
    keywords: [thực đơn]
    reply: {file: images/menu.jpg}
"""


def photo(width: int, height: int, *, turned: bool = False) -> bytes:
    """Return a JPEG as a camera writes it, with GPS data, and an EXIF orientation if *turned*."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6 if turned else 1
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    image = Image.effect_mandelbrot((width, height), (-2.2, -1.2, 0.8, 1.2), 40).convert("RGB")
    image.save(file, "JPEG", quality=100, exif=exif)
    return file.getvalue()


def bot_with_library(folder: Path, vendor_url: str) -> Bot:
    """Return a bot that lets editors publish, whose library has the image of its one rule."""
    (folder / "images").mkdir()
    (folder / "images" / "menu.jpg").write_bytes(photo(300, 200))
    return Bot(folder, vendor_url, rules=_RULES, CONSOLE_PASSWORD=PASSWORD, CONSOLE_PUBLISH="true")


def chosen(name: str, content: bytes) -> FilePayload:
    """Return a file for a file chooser."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def hand_over(page: Page, how: str, selector: str, content: str = "") -> None:
    """Drop or paste a file on *selector*; its content is by default an image of one pixel."""
    page.evaluate(
        """async ([how, selector, content]) => {
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 1;
            const pixel = await new Promise((done) => canvas.toBlob(done, "image/png"));
            const data = new DataTransfer();
            data.items.add(new File([content || pixel], "image.png", {type: "image/png"}));
            const options = {bubbles: true, cancelable: true};
            const event = how === "drop"
                ? new DragEvent("drop", {dataTransfer: data, ...options})
                : new ClipboardEvent("paste", {clipboardData: data, ...options});
            document.querySelector(selector).dispatchEvent(event);
        }""",
        [how, selector, content],
    )
