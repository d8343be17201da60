"""Check whether the images that the rules name can be sent: schedule, probe, verdict."""
