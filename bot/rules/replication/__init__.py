"""Replication of published rules and images to all machines that share the database, images before rules."""
