"""Replace the rules file atomically, and keep its version history."""
