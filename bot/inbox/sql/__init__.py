"""Running SQL: engines for both databases, group commit, bulk inserts and updates, a write check with a time limit."""
