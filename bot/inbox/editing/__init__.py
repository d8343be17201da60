"""What editors work on, for all processes: drafts, publications, the last valid rules, console sessions."""
