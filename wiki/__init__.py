"""Wikimill: a wiki whose pages can work."""
