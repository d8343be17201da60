"""Replication: what is published on one machine reaches all that share the database, images before rules."""
