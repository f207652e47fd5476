"""What readers may see: each function asks the database and returns rows, never queries.

Only what is published is found, and no clock is asked: a scheduled post becomes public by a write.
"""
