"""What can be done to content, a verb per file; nothing else writes."""
