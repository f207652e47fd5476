"""The domain: what is written, who wrote it, and how it becomes public."""
