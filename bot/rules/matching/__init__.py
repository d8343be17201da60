"""Keyword matching: which keywords of the rules a message has, and how well each fits."""
