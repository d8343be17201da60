"""Prometheus metrics that are counted while the bot runs, by one process or by several together."""
