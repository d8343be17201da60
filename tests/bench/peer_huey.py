"""What people would use instead: a Flask webhook that queues each event in Huey, on SQLite, durably."""

import os

from flask import Flask, request
from huey import SqliteHuey

app = Flask(__name__)
queue = SqliteHuey(filename=os.environ["HUEY_FILE"], fsync=True)


@queue.task()  # type: ignore[untyped-decorator]
def deliver(body: str) -> None:
    """Send the reply; only a consumer would run it, and there is none."""


@app.post("/webhook")
def webhook() -> str:
    """Queue the body and say ok; a redelivery is queued again."""
    deliver(request.get_data().decode())
    return "ok\n"


@app.get("/")
def ready() -> str:
    """Say that the server is up."""
    return "ok\n"
