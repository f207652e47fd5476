"""Cache policies, the decorators that attach them, the guard, and the headers of each CDN."""
