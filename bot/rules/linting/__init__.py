"""What is right in form, but hardly meant: conflicts, examples, expiry."""
