"""What a site looks like: the style sheet of its accent colour, its icons, its social image.

Everything is made from the site's settings, and served at addresses with a digest of them.
"""
