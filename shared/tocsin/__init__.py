"""What Tocsin's services share: the book of rules, the message contracts, and the plumbing under both."""

__version__ = "0.1.0"
