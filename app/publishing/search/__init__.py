"""Search: one analysis of words, one index and one order of results for both databases."""
