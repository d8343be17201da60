"""Messages about a rules file, by code."""
