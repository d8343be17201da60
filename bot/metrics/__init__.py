"""What is counted while the bot runs, for Prometheus: by one process, or by all that share a directory."""
