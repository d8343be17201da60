"""How statements are run: engines for both databases, group commit, many rows in one call, a bounded test write."""
