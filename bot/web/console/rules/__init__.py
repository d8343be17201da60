"""The pages Rules and Try, and the statistics of one rule."""
