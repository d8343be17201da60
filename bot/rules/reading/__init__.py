"""From YAML to models, with a position for every problem."""
