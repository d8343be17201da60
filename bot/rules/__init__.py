"""The rules file: language, matching, models, reading, linting, publishing, and the decision which rule answers."""
