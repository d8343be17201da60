"""Health checks: /healthz (the process lives) and /readyz (it can do its work)."""

from __future__ import annotations

from flask import Blueprint, Response

from bot.logs import single_line
from bot.runtime import Runtime


def blueprint(runtime: Runtime) -> Blueprint:
    """Return the routes for load balancers and people on watch."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", 200, mimetype="text/plain")

    @routes.get("/readyz")
    def readyz() -> Response:
        missing, remarks = runtime.readiness()
        lines = [f"missing: {line}" for line in missing] + [f"note: {line}" for line in remarks] or ["ready"]
        # What the vendor or the file system said must not pass for a line of ours, nor steer a terminal.
        return Response(
            "".join(f"{single_line(line)}\n" for line in lines), 503 if missing else 200, mimetype="text/plain"
        )

    return routes
