"""The public site in HTML, one file per resource."""
