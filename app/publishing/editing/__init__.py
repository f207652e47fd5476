"""What several actions share: checks, look-ups and writes inside the caller's transaction."""
