"""Whether the images that rules name can be sent: schedule, probe, verdict."""
