"""Answers the customers of a Zalo Official Account with pictures."""
