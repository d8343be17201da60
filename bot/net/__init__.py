"""Outbound HTTP: one deadline and one size per call; public addresses only."""
