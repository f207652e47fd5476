"""The rules of the HTTP RFCs about caching, as pure functions.

They use no clock, no I/O and no framework. A parser of a foreign header never raises.
"""
