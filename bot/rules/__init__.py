"""What the editors write: the words, the file, the match, the decision."""
