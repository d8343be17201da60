"""The form of one rule: its page, its fields, and advice while it is filled in."""
