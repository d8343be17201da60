"""What may be wrong with a bot and its surroundings, looked at one by one and told as findings."""
