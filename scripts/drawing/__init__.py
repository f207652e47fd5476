"""Draws the sample publication's pictures the way a two-drum duplicator prints them."""
