"""The commands of ``wikimill``, a group a file."""
