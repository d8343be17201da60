"""Whether a message has a keyword: tokens, abbreviations, trie, readings, best matches."""
