"""CommonMark for Python-Markdown: a block reader and an inline reader in place of its own.

Python-Markdown splits a text at blank lines and replaces inlines one pattern after the other,
so that what CommonMark says of containers, flanking and precedence cannot be told to it a
pattern at a time. These readers fill its tree; its registries, its extensions (footnotes,
tables, attribute lists, contents) and its stages stay in charge. Both take linear time.
"""
