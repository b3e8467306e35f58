"""The syntax of pages: pure parsers of macros, blocks, links and addresses, below the store."""
