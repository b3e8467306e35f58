"""Check the links of pages: to pages, headings and attachments, and to web addresses.

What is found goes to the task's page, as a table and as a section. The task's parameters are those
of `Executors.LinkCheckParameters`.
"""

import csv
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote

from wiki.api import make_query
from wiki.errors import DamagedPage, DocumentNotFound, InvalidReference, TaskFailed
from wiki.language.links import ATTACH, TARGET
from wiki.language.syntax import Macro, Text, parse
from wiki.references import HOME, Reference
from wiki.rendering.markdown import to_html

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
#: Macros whose bodies are no text of the page.
OPAQUE = ("code", "jinja", "html")
#: How many broken links the section on the task's page names; the table has all.
MAX_SHOWN = 50
TABLE = "links.csv"


@dataclass(frozen=True)
class Broken:
    """A link that leads nowhere."""

    page: str
    link: str
    kind: str
    problem: str


def run(logger, wiki, task):
    """What the task manager calls: the whole check."""
    query = replace(make_query(None, {}, ("reference",), None, 0, space_of(task)), nested=True)
    checker = Checker(wiki)
    broken, web = [], defaultdict(list)
    with task.step("Links within the wiki"):
        for row in task.track(wiki.rows(query), wiki.count(query)):
            try:
                broken += checker.check(row.reference, web)
            except DocumentNotFound:  # deleted since the list was made
                continue
            except DamagedPage as error:
                logger.warning("%s is left out: %s", row.reference, error)
    if task.params.get("external"):
        with task.step("Web addresses"):
            broken += check_web(wiki, task, web)
    report(logger, wiki, task, sorted(broken, key=lambda item: (item.page, item.kind, item.link)))


def space_of(task):
    space = task.params.get("space")
    try:
        return Reference.parse(f"{space}.{HOME}").space if space else None
    except InvalidReference as error:
        raise TaskFailed(str(error)) from None


def check_web(wiki, task, web):
    """The web addresses that do not answer, on each page that has them."""
    ignored = tuple(filter(None, map(str.strip, (task.params.get("ignore") or "").splitlines())))
    urls = [url for url in web if not url.startswith(ignored or ("\0",))]
    answers = wiki.load("Lib.WebLinks").check(urls, task.params.get("timeout") or 10,
                                              bool(task.params.get("allowPrivate")))
    return [Broken(page, url, "web", problem) for url, problem in task.track(answers, len(urls))
            if problem for page in dict.fromkeys(web[url])]


# -- What a page links to ----------------------------------------------------------------------


class Links(HTMLParser):
    """The links of a page's HTML, and the places that can be linked to."""

    def __init__(self, content):
        super().__init__()
        #: (target, whether it is a wiki link)
        self.found = {}
        self.anchors = set()
        self.has_macros = False
        self.feed(to_html(self._text(content)))
        self.close()

    def _text(self, content):
        """The content without its macros, but with the texts in them."""
        parts = []
        for node in parse(content):
            if isinstance(node, Text):
                parts.append(node.text)
            elif isinstance(node, Macro):
                self.has_macros = True
                if node.body and node.name not in OPAQUE:
                    parts.append(self._text(node.body))
        return "".join(parts)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(value for name, value in attrs if name in ("id", "name") and value)
        if tag == "a" and TARGET in values:
            self.found[values[TARGET], True] = None
        elif tag == "a" and "href" in values:
            self.found[values["href"], False] = None
        elif tag == "img" and values.get("src"):
            self.found[values["src"], False] = None


class Checker:
    """Checks the links of pages within the wiki."""

    def __init__(self, wiki):
        self._wiki = wiki
        self._links_of = lru_cache(1_000)(self._read)

    def _read(self, reference):
        page = self._wiki.get(reference)
        return Links(page.content), {item.filename for item in page.attachments}

    def check(self, reference, web):
        """The page's broken links; its web addresses go into `web`, URL -> pages."""
        broken = []
        for target, is_wiki in self._links_of(reference)[0].found:
            if not is_wiki and target.lower().startswith(("http://", "https://")):
                web[target.partition("#")[0]].append(str(reference))
                continue
            found = self._problem(target.strip(), is_wiki, reference)
            if found:
                broken.append(Broken(str(reference), target, *found))
        return broken

    def _problem(self, target, is_wiki, base):
        """The kind of link and what is wrong; None where nothing is."""
        if target.startswith(ATTACH):
            name = target.removeprefix(ATTACH)
            return self._attachment(name if is_wiki else unquote(name), base)
        if not is_wiki:
            target = page_of_url(target)
        name, _, anchor = target.partition("#")
        try:
            ref = Reference.parse(name, base) if name else base
        except InvalidReference as error:
            return ("page", str(error)) if is_wiki else None
        if ref not in self._wiki:
            return "page", f"{ref} does not exist"
        return self._anchor(anchor, ref)

    def _anchor(self, anchor, ref):
        if not anchor:
            return None
        links, _ = self._links_of(ref)
        if unquote(anchor) in links.anchors or links.has_macros:
            return None
        return "heading", f"{ref} has no heading {anchor!r}"

    def _attachment(self, text, base):
        page, mark, filename = text.rpartition("@")
        ref = base
        if mark:
            try:
                ref = Reference.parse(page, base)
            except InvalidReference:
                filename = text  # an at sign in the file's own name
        if ref not in self._wiki:
            return "attachment", f"{ref} does not exist"
        if filename not in self._links_of(ref)[1]:
            return "attachment", f"{ref} has no attachment {filename!r}"
        return None


def page_of_url(url):
    """The wiki link that a Markdown link's URL stands for; `#` where it is none of a page."""
    if url.startswith("#"):
        return url
    name = url.partition("#")[0]
    if SCHEME.match(url) or "?" in url or name.startswith("."):
        return "#"
    path = name.removeprefix("/")
    if not path or "/" in path or (url.startswith("/") and "." not in path):
        return "#"
    return unquote(url.removeprefix("/"))


# -- What was found ----------------------------------------------------------------------------


def report(logger, wiki, task, broken):
    path = task.workdir / TABLE
    with path.open("w", encoding="utf-8", newline="", errors="replace") as stream:
        writer = csv.writer(stream)
        writer.writerow(["page", "kind", "link", "problem"])
        writer.writerows([item.page, item.kind, item.link, item.problem] for item in broken)
    kinds = Counter(item.kind for item in broken)
    summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
    logger.info("Broken links: %s", summary)
    text = section(wiki.load("Lib.MarkdownText"), broken, summary)
    wiki.load("Lib.Results").attach(task, {TABLE: path}, f"Broken links: {summary}",
                                    ("Broken links", text))


def section(markdown, broken, summary):
    """The section of the task's page; what others wrote is shown as code."""
    rows = [["Page", "Link", "What is wrong"]]
    rows += [[markdown.page_link("", item.page), markdown.code(item.link[:200]),
              markdown.escape(item.problem[:300])] for item in broken[:MAX_SHOWN]]
    parts = [f"Found: {summary}. [[attach:{TABLE}]] has them all."]
    if broken:
        parts.append(markdown.table(rows, True))
    return "\n\n".join(parts)
