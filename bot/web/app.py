"""The Flask application."""

from __future__ import annotations

from flask import Flask

from bot.runtime import Service
from bot.web import health, metrics, webhook


def create_app(service: Service) -> Flask:
    """Return the application that receives Zalo's deliveries for a started *service*, with the console if it is on."""
    app = Flask("bot.web")
    app.extensions["bot.runtime"] = service
    app.register_blueprint(webhook.blueprint(service))
    app.register_blueprint(health.blueprint(service))
    app.register_blueprint(metrics.blueprint(service))
    if service.settings.console_password.get_secret_value():
        from bot.web.console import app as console  # noqa: PLC0415  a tenth of what a start loads

        console.register(app, service)
    return app
