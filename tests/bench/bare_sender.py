"""The least that a sender can do: so many threads, one pooled session, the same requests; the yardstick."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter


def main(url: str, count: int, threads: int) -> None:
    """Post *count* pictures to *url*."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=threads))
    session.headers.update(json.loads(sys.argv[4]))

    def send(number: int) -> None:
        body = {
            "message": {"image_url": "https://shop.example/bang-gia.jpg"},
            "oa_id": "388613280878808645",
            "recipient": {"user_id": str(10**6 + number)},
        }
        session.post(url, json=body, timeout=10).raise_for_status()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(count)))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
