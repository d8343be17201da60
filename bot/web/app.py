"""Create the Flask application: webhook, health checks, metrics and console."""

from __future__ import annotations

from flask import Flask

from bot.runtime import Runtime
from bot.web import health, metrics, paths, webhook


def create_app(runtime: Runtime) -> Flask:
    """Return the Flask application for a started *runtime*; it has the console if CONSOLE_PASSWORD is set."""
    app = Flask("bot.web")
    app.extensions["bot.runtime"] = runtime
    paths.guard(app)
    app.register_blueprint(webhook.blueprint(runtime))
    app.register_blueprint(health.blueprint(runtime))
    app.register_blueprint(metrics.blueprint(runtime))
    if runtime.settings.console_password.get_secret_value():
        from bot.web.console import app as console  # noqa: PLC0415  a tenth of what a start loads

        console.register(app, runtime)
    return app
