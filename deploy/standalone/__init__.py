"""Tocsin's command line and the shapes it runs in: one process on one folder, or one service of three."""
