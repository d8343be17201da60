"""Everything stored, and the only SQL: queue, limits per OA, uploads, queries, retention."""
