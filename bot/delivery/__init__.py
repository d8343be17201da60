"""From a claimed event to a settled one: threads, one delivery, state transitions, images."""
