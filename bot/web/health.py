"""Health checks: /healthz (the process is alive) and /readyz (it can receive and deliver)."""

from __future__ import annotations

from flask import Blueprint, Response

from bot.logs import single_line
from bot.runtime import Runtime


def blueprint(runtime: Runtime) -> Blueprint:
    """Return the health check routes for load balancers and operators."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", 200, mimetype="text/plain")

    @routes.get("/readyz")
    def readyz() -> Response:
        missing, remarks = runtime.readiness()
        lines = [f"missing: {line}" for line in missing] + [f"note: {line}" for line in remarks] or ["ready"]
        # Text from the vendor or the file system must not forge a line, nor contain terminal control codes.
        return Response(
            "".join(f"{single_line(line)}\n" for line in lines), 503 if missing else 200, mimetype="text/plain"
        )

    return routes
