"""Keyword matching: find the keywords of all rules in a message, and rank the matches."""
