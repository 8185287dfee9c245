"""Word vectors from the co-occurrences of tokens in a corpus, a start for the word table."""
