"""The book of rules: what would be true on paper, with no computer.

Standard library only. No clock, no files, no network, no randomness: time and data arrive as arguments, and every
function gives the reasons for what it answers. A physician can review this folder alone.
"""
