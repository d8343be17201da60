"""The Flask application."""

from __future__ import annotations

from flask import Flask

from bot.service import Service
from bot.web import health, metrics, webhook


def create_app(service: Service) -> Flask:
    """Return the application that receives Zalo's deliveries for a started *service*."""
    app = Flask("bot.web")
    app.extensions["bot.service"] = service
    app.register_blueprint(metrics.timed(webhook.blueprint(service)))
    app.register_blueprint(health.blueprint(service))
    app.register_blueprint(metrics.blueprint(service))
    return app
