"""Read a rules file: from YAML to models, with a position for every problem."""
