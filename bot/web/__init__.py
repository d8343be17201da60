"""The web side: gunicorn worker, webhook, health checks, metrics, the console and the demo's page."""
