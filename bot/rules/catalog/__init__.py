"""What editors are told about a rules file: every message by its code."""
