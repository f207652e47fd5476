"""The public site in JSON, under the same names."""
