"""References of XWiki: pages, their places in this wiki, attachments, addresses."""

import re

from wiki.references import HOME, MAX_DEPTH, Reference

names = wiki.load("Lib.Names")  # noqa: F821 - a module's page is given the wiki

TYPED = re.compile(r"(doc|page|space|attach|url|mailto|path|user|unc|data|icon|mail):(.*)", re.S)
URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://|mailto:")
WIKI = re.compile(r"(?:[A-Za-z][\w-]*):(?=[^:\\])")


class Places:
    """The documents of an archive, and the pages that they become below a space."""

    def __init__(self, spaces, known, apart=()):
        """`spaces`: the names of the target space, () for none; `known`: the names of each
        document of the archive; `apart`: the spaces whose names stay as they are."""
        self.spaces = tuple(spaces)
        self.known = frozenset(known)
        self.apart = frozenset(apart)

    def place(self, parts):
        """The page that a document becomes; `parts` are the names of its spaces and its own."""
        cleaned = tuple(names.page_name(part) for part in parts)
        spaces = () if cleaned[0] in self.apart else self.spaces
        if len(spaces + cleaned) > MAX_DEPTH + 1:
            keep = MAX_DEPTH - len(spaces)
            cleaned = (*cleaned[:keep], names.page_name("-".join(cleaned[keep:])))
        return Reference(spaces + cleaned[:-1], cleaned[-1])

    def document(self, text, base):
        """The names of the document that a reference means on the document `base`."""
        parts = split(text, base)
        if len(parts) == 1:
            parts = base[:-1] + parts
        home = (*parts, HOME)
        nested = (*base[:-1], parts[-1], HOME)
        if parts not in self.known and home in self.known:
            return home
        if parts not in self.known and "." not in text and nested in self.known:
            return nested
        return parts

    def page(self, text, base):
        """The page that a reference means; one of XWiki's own that is not there is a user's."""
        parts = self.document(text, base)
        if parts[0] == "XWiki" and parts not in self.known and len(parts) == 2:
            return Reference(("Users",), names.page_name(parts[1]))
        return self.place(parts)


def split(text, base):
    """The names in a reference, without its wiki; `base` is the document that it stands in."""
    text = WIKI.sub("", text.strip(), count=1) if WIKI.match(text.strip()) else text.strip()
    text = text.partition("?")[0].removeprefix(".")
    parts = [re.sub(r"\\(.)", r"\1", part)
             for part in re.findall(r"(?:[^.\\]|\\.)+", text, re.S)]
    return tuple(part for part in parts if part.strip()) or base


def is_url(text):
    return bool(URL.match(text.strip()))
