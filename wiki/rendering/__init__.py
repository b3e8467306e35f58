"""From a document's source to HTML: macros, Markdown, links, sanitising, scripting."""
