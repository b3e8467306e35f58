"""Titles of MediaWiki: namespaces, the pages that they become, links to other wikis."""

import re
from urllib.parse import quote

from wiki.references import MAX_DEPTH, Reference

names = wiki.load("Lib.Names")  # noqa: F821 - a module's page is given the wiki

MEDIA, SPECIAL, FILE, TEMPLATE, CATEGORY, MODULE = -2, -1, 6, 10, 14, 828
#: What every wiki understands, whatever its language.
CANONICAL = {
    "": 0, "media": MEDIA, "special": SPECIAL, "talk": 1, "user": 2, "user talk": 3,
    "project": 4, "project talk": 5, "file": FILE, "image": FILE, "file talk": 7,
    "image talk": 7, "mediawiki": 8, "mediawiki talk": 9, "template": TEMPLATE,
    "template talk": 11, "help": 12, "help talk": 13, "category": CATEGORY,
    "category talk": 15, "module": MODULE, "module talk": 829,
}
ENGLISH = {
    1: "Talk", 2: "User", 3: "User talk", 4: "Project", 5: "Project talk", FILE: "File",
    7: "File talk", 8: "MediaWiki", 9: "MediaWiki talk", TEMPLATE: "Template",
    11: "Template talk", 12: "Help", 13: "Help talk", CATEGORY: "Category",
    15: "Category talk", MODULE: "Module",
}
#: Wikis that every MediaWiki links to by a prefix.
INTERWIKI = {
    "w": "https://en.wikipedia.org/wiki/", "wikipedia": "https://en.wikipedia.org/wiki/",
    "wikt": "https://en.wiktionary.org/wiki/", "wiktionary": "https://en.wiktionary.org/wiki/",
    "b": "https://en.wikibooks.org/wiki/", "q": "https://en.wikiquote.org/wiki/",
    "s": "https://en.wikisource.org/wiki/", "n": "https://en.wikinews.org/wiki/",
    "v": "https://en.wikiversity.org/wiki/", "voy": "https://en.wikivoyage.org/wiki/",
    "c": "https://commons.wikimedia.org/wiki/", "commons": "https://commons.wikimedia.org/wiki/",
    "m": "https://meta.wikimedia.org/wiki/", "meta": "https://meta.wikimedia.org/wiki/",
    "mw": "https://www.mediawiki.org/wiki/", "mediawikiwiki": "https://www.mediawiki.org/wiki/",
    "d": "https://www.wikidata.org/wiki/", "wikidata": "https://www.wikidata.org/wiki/",
    "phab": "https://phabricator.wikimedia.org/", "species": "https://species.wikimedia.org/wiki/",
}
#: The languages of the larger Wikipedias, whose prefixes link a page to its translations.
LANGUAGES = frozenset("""
    af als an ar ast az be bg bn br bs ca ceb cs cy da de el en eo es et eu fa fi fo fr fy ga gd
    gl gu he hi hr ht hu hy ia id io is it ja jv ka kk km kn ko ku la lb li lmo lt lv mg mk ml mn
    mr ms my nds ne nl nn no nv oc pa pl pms pt qu ro ru sc scn sco se sh si simple sk sl sq sr su
    sv sw ta te tg th tl tr tt uk ur uz vec vi vo wa war yi yo zh
    """.split())  # noqa: SIM905 - a list of words reads best as text


class Titles:
    """The titles of one wiki, and the pages that they become below a space."""

    def __init__(self, spaces, namespaces=None, capital=True):
        """`spaces`: the names of the target space; `namespaces`: number -> name, as the wiki
        calls them; `capital`: whether every title begins with a capital."""
        self.spaces = tuple(spaces)
        self.names = {**ENGLISH, **(namespaces or {})}
        self.numbers = {**CANONICAL, **{name.lower(): number
                                        for number, name in (namespaces or {}).items()}}
        self.capital = capital

    def split(self, title):
        """The number of a title's namespace, and its name there."""
        title = " ".join(title.replace("_", " ").split()).removeprefix(":").strip()
        prefix, colon, rest = title.partition(":")
        number = self.numbers.get(prefix.strip().lower()) if colon else None
        name = title if number is None else rest.strip()
        if self.capital:
            name = name[:1].upper() + name[1:]
        return number or 0, name

    def full(self, title):
        """The title as the wiki itself writes it."""
        number, name = self.split(title)
        return f"{self.names.get(number, number)}:{name}" if number else name

    def reference(self, title):
        """The page that the title becomes."""
        number, name = self.split(title)
        spaces = self.spaces
        if number:
            spaces += (names.page_name(self.names.get(number, str(number))),)
        parts = tuple(names.page_name(part) for part in name.split("/"))
        deepest = MAX_DEPTH - len(spaces)
        if len(parts) > deepest:
            parts = (*parts[:deepest - 1], names.page_name("-".join(parts[deepest - 1:])))
        return Reference(spaces + parts[:-1], parts[-1])

    def is_language(self, title):
        """Whether a link to this only names the page in another language."""
        prefix, colon, _ = title.partition(":")
        return bool(colon) and prefix.strip().lower() in LANGUAGES and not self.is_own(prefix)

    def is_own(self, prefix):
        return prefix.strip().lower() in self.numbers

    def elsewhere(self, title):
        """The address of a page in another wiki; empty for one of this wiki."""
        prefix, colon, rest = title.strip().removeprefix(":").partition(":")
        prefix = prefix.strip().lower()
        if not colon or self.is_own(prefix):
            return ""
        base = INTERWIKI.get(prefix, "")
        if prefix in LANGUAGES:
            base = f"https://{prefix}.wikipedia.org/wiki/"
        return base + quote(rest.strip().replace(" ", "_"), safe="/:#()") if base else ""


def redirect(text):
    """The title that a text of the form `#REDIRECT [[Title]]` leads to; empty for another."""
    match = re.match(r"\s*#[^\s\[:]{4,20}\s*:?\s*\[\[([^\]|]+)", text)
    return match[1].strip() if match else ""
