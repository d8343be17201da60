"""Lint of valid rules files: conflicts, doubtful keywords, failing examples, expiry."""
