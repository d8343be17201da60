"""The least that a Flask webhook can do: the yardstick."""

from flask import Flask, request

app = Flask(__name__)


@app.post("/webhook")
def webhook() -> str:
    """Read the body and say ok."""
    request.get_data()
    return "ok\n"
