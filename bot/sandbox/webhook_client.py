"""Post signed events to a webhook as Zalo does, with redelivery after a failure and an echo of each sent image."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import requests

from bot.sandbox.vendor import VendorCall
from bot.sandbox.zalo_events import EventMaker, SignedEvent

log = logging.getLogger(__name__)

#: Seconds before each redelivery; shorter than Zalo's 30 s, 5 min, 15 min, 30 min and 1 h.
INTERVALS = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST of an event, as the sender sees it."""

    status: int | None
    """None if there was no answer."""
    seconds: float
    """From the first byte of the request to the last of the answer."""


class Webhook:
    """
    One webhook URL, and the connections to it.

    *timeout* in seconds: a later answer counts as none, as with Zalo.
    """

    def __init__(self, url: str, *, timeout: float = 2.0, connections: int = 16) -> None:
        self.url = url
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))

    def deliver(self, event: SignedEvent, *, num_retry: int = 0) -> Delivery:
        """Post *event* once; *num_retry* marks a redelivery."""
        headers = {**event.headers, "num_retry": str(num_retry)} if num_retry else dict(event.headers)
        started = time.perf_counter()
        try:
            answer = self._session.post(self.url, data=event.body, headers=headers, timeout=self._timeout)
        except requests.RequestException:
            return Delivery(None, time.perf_counter() - started)
        return Delivery(answer.status_code, time.perf_counter() - started)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class Echo:
    """
    Posts Zalo's `oa_send_image` event to the webhook for each image that was sent.

    Pass it to `SandboxVendor.listen`. An event that is not answered with 200 is posted again after *intervals*.
    """

    def __init__(self, maker: EventMaker, url: str, *, intervals: Sequence[float] = INTERVALS) -> None:
        self.enabled = True
        self.keeps_msg_id = True
        """Whether the echo's `msg_id` is that of the vendor's answer; whether Zalo's really is, is unknown."""
        self._maker = maker
        self._webhook = Webhook(url)
        self._intervals = intervals
        self._stopped = threading.Event()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="sandbox-echo")

    def __call__(self, call: VendorCall) -> None:
        """Post the echo of the image in *call*, if one was sent, in the background."""
        message = call.received.message
        if not (self.enabled and call.msg_id and message) or self._stopped.is_set():
            return
        event = self._maker.oa_sent_image(
            message.user_id, message.image, msg_id=call.msg_id if self.keeps_msg_id else "", at=call.at
        )
        self._threads.submit(self._deliver, event)

    def stop(self) -> None:
        """Stop posting, and drop pending redeliveries."""
        self._stopped.set()
        self._threads.shutdown(cancel_futures=True)
        self._webhook.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _deliver(self, event: SignedEvent) -> None:
        delivery = self._webhook.deliver(event)
        for num_retry, interval in enumerate(self._intervals, 1):
            if delivery.status == requests.codes.ok or self._stopped.wait(interval):
                return
            delivery = self._webhook.deliver(event, num_retry=num_retry)
        if delivery.status != requests.codes.ok:
            log.warning("echo given up", extra={"msg_id": event.msg_id, "status": delivery.status})
