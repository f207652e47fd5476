"""The domain of publishing: posts, authors, topics, media and redirects."""
