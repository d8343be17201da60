"""The WSGI application: ``gunicorn app:app``, ``flask --app app run`` or ``python app.py``."""

from __future__ import annotations

from pathlib import Path

from bot.web.server import application, serve

ENV_FILE = Path(__file__).with_name(".env")

if __name__ == "__main__":
    raise SystemExit(serve(ENV_FILE))

app = application(ENV_FILE)
