"""Checks of a bot and its surroundings (`bot doctor`), each reported as findings."""
