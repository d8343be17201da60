"""Delivery of claimed events: threads, one delivery, state transitions, images."""
