"""Vietnamese as it is written and typed: normalising, syllables, abbreviations, common words."""
