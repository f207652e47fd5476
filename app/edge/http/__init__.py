"""What HTTP says about caching: pure functions.

Law of the room: no clock, no I/O, no framework. A parser of a foreign header never raises.
"""
