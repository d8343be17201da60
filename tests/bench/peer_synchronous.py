"""What the tutorials show: a Flask webhook that calls the vendor before it answers Zalo, and stores nothing."""

import json
import os

import requests
from flask import Flask, request
from requests.adapters import HTTPAdapter

from bot.cpaas import SEND_IMAGE_PATH
from tests.support.running import TOKEN

app = Flask(__name__)
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=32))
session.headers.update(
    {
        "API-KEY": os.environ["CPAAS_API_KEY"],
        "accessToken": TOKEN,
        "Authorization": f"Bearer {TOKEN}",
    }
)


@app.post("/webhook")
def webhook() -> str:
    """Send one picture to who wrote, then say ok."""
    event = json.loads(request.get_data())
    body = {
        "message": {"image_url": "https://shop.example/bang-gia.jpg"},
        "oa_id": event["recipient"]["id"],
        "recipient": {"user_id": event["sender"]["id"]},
    }
    answer = session.post(os.environ["CPAAS_BASE_URL"] + SEND_IMAGE_PATH, json=body, timeout=10)
    answer.raise_for_status()
    return "ok\n"


@app.get("/")
def ready() -> str:
    """Say that the server is up."""
    return "ok\n"
