"""Content of other tools, read into the domain."""
