"""The safety desk: the pages that physicians keep open, and open at night on a phone."""
