"""The contracts: what crosses a service boundary, and the envelope it travels in.

A message carries the full snapshot, so that nobody calls back to ask. It is never edited: a changed meaning is a new
version, and both are read. `topics.py` is the one table of who writes and reads what.
"""
