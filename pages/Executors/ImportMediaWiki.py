"""Import the XML dump of a MediaWiki: every page becomes a page, its wikitext Markdown.

The dump is attached to the task's page, perhaps compressed. It is read twice, as a stream: first
to count its pages, then to save them. What its wikitext becomes is in `Lib.Wikitext`, which page
a title becomes in `Lib.WikitextTitles`.
"""

import bz2
import gzip
import zlib
from collections import Counter, deque
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import unquote

from wiki.errors import InvalidReference
from wiki.references import HOME, Reference

ENDINGS = (".xml", ".xml.gz", ".xml.bz2", ".gz", ".bz2")
#: What is taken where the parameters do not say: articles, project, help, categories.
NAMESPACES = (0, 4, 12, 14)
#: A file that grows by more than this when it is unpacked was made to do harm.
GROWTH = 500
#: Up to so many bytes it may grow as it likes.
HARMLESS = 100_000_000
CHUNK = 1_000_000
#: What a file in UTF-16 begins with -> how its letters are written.
WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
#: The longest text of a page that is taken, in characters.
LONGEST = 20_000_000
#: Templates that the log names.
NAMED = 20
#: What is no wikitext -> the language of the code that it is.
CODE = {"Scribunto": "lua", "css": "css", "sanitized-css": "css", "javascript": "javascript",
        "json": "json", "JsonSchema": "json", "text": ""}


class BadDump(ValueError):
    """The file is no dump that can be read; the message says why."""


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    xml = wiki.load("Lib.SafeXML")
    dump = find_dump(task)
    try:
        with task.step("Counting the pages"):
            total = count_pages(dump)
        with task.step("Importing"), closing(read_dump(xml, dump)) as entries:
            site = next(entries)
            importer = Importer(logger, wiki, task, site)
            logger.info("%s: %s, %s pages", dump.filename, site.name or "a wiki without a name",
                        f"{total:,}")
            importer.make_home_page()
            for item in task.items(entries, key=lambda entry: entry.key, total=total):
                with item:
                    importer.save(item)
            importer.report()
    except (BadDump, xml.BadXML) as error:
        task.fail(f"{dump.filename}: {error}")


# -- The file ----------------------------------------------------------------------------------


def find_dump(task):
    """The attachment that the parameters name, or the only one that can be a dump."""
    name = task.params.get("file")
    if name:
        return task.attachment(name)
    found = [item.filename for item in task.attachments
             if item.filename.lower().endswith(ENDINGS)]
    if not found:
        task.fail("No dump is attached to the task's page: attach a file .xml, .xml.gz or "
                  ".xml.bz2")
    if len(found) > 1:
        task.fail("Several dumps are attached; say which one in the parameter file: "
                  + ", ".join(found))
    return task.attachment(found[0])


class Unpacked:
    """A dump as a stream, unpacked; one that grows beyond measure is refused."""

    def __init__(self, dump):
        self.raw = dump.open()
        self.stream = unpacked(self.raw)
        self.most = max(HARMLESS, dump.size * GROWTH)
        self.count = 0

    def read(self, size):
        try:
            data = self.stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise BadDump(f"the file cannot be unpacked, and may be incomplete: {error}") from None
        self.count += len(data)
        if self.count > self.most:
            raise BadDump(f"the file unpacks to more than {GROWTH} times its size, which no "
                          "dump does")
        return data

    def close(self):
        if self.stream is not self.raw:
            self.stream.close()
        self.raw.close()


def unpacked(raw):
    head = raw.read(6)
    raw.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(raw)
    if head.startswith(b"BZh"):
        return bz2.open(raw)
    if head.startswith((b"7z\xbc\xaf", b"PK\x03\x04", b"\xfd7zXZ")):
        raw.close()
        raise BadDump("this way of packing is not read; unpack it, or pack it with gzip or bzip2")
    return raw


def count_pages(dump):
    total, rest = 0, b""
    with closing(Unpacked(dump)) as stream:
        data = stream.read(CHUNK)
        mark = "<page>".encode(WIDE.get(data[:2], "ascii"))
        while data:
            data = rest + data
            total += data.count(mark)
            rest = data[1 - len(mark):]
            data = stream.read(CHUNK)
    return total


# -- The dump ----------------------------------------------------------------------------------


@dataclass
class Site:
    """What the dump says about its wiki."""

    name: str = ""
    main_page: str = ""
    capital: bool = True
    #: Number -> name.
    namespaces: dict = field(default_factory=dict)


@dataclass
class Revision:
    """A text of a page; None where it was deleted."""

    text: str | None = None
    author: str = ""
    date: str = ""
    comment: str = ""
    model: str = "wikitext"


@dataclass
class Entry:
    """A page of the dump, with its newest revisions, oldest first."""

    title: str = ""
    namespace: int = 0
    redirect: str = ""
    revisions: deque = field(default_factory=lambda: deque(maxlen=1000))

    @property
    def key(self):
        return self.title


def read_dump(xml, dump):
    """The site, then the pages, as they come."""
    with closing(Unpacked(dump)) as stream:
        events = xml.events(stream, LONGEST)
        kind, tag, _ = next(events, ("", "", ""))
        if (kind, tag) != ("start", "mediawiki"):
            raise BadDump(f"this is no dump of a MediaWiki: its root is <{tag}>, and not "
                          "<mediawiki>")
        site = Site()
        for kind, tag, value in events:
            if (kind, tag) == ("start", "page"):
                yield site
                break
            read_site(site, kind, tag, value, events)
        else:
            yield site
            return
        yield read_page(events)
        for kind, tag, _ in events:
            if (kind, tag) == ("start", "page"):
                yield read_page(events)


def read_site(site, kind, tag, value, events):
    if (kind, tag) == ("start", "namespace"):
        key = value.get("key", "")
        name = next(text for end, _, text in events if end == "end")
        if key.removeprefix("-").isdecimal():
            site.namespaces[int(key)] = name.strip()
    elif kind == "end" and tag == "sitename":
        site.name = value.strip()
    elif kind == "end" and tag == "base":
        site.main_page = unquote(value.strip().rpartition("/")[2]).replace("_", " ")
    elif kind == "end" and tag == "case":
        site.capital = value.strip() != "case-sensitive"


def read_page(events):
    entry = Entry()
    for kind, tag, value in events:
        if (kind, tag) == ("end", "page"):
            break
        if kind == "end" and tag == "title":
            entry.title = value.strip()
        elif kind == "end" and tag == "ns":
            entry.namespace = int(value) if value.strip().lstrip("-").isdecimal() else 0
        elif (kind, tag) == ("start", "redirect"):
            entry.redirect = value.get("title", "")
        elif (kind, tag) == ("start", "revision"):
            entry.revisions.append(read_revision(events))
        elif (kind, tag) == ("start", "upload"):
            skip(events, "upload")
    return entry


def read_revision(events):
    revision = Revision()
    deleted = False
    for kind, tag, value in events:
        if kind == "start":
            deleted = "deleted" in value
        elif tag == "revision":
            break
        elif tag in ("username", "ip"):
            revision.author = value.strip()
        elif tag == "timestamp":
            revision.date = value.strip()
        elif tag == "comment":
            revision.comment = "" if deleted else value.strip()
        elif tag == "model":
            revision.model = value.strip()
        elif tag == "text":
            revision.text = None if deleted else value
    return revision


def skip(events, tag):
    """Pass over an element."""
    for kind, name, _ in events:
        if (kind, name) == ("end", tag):
            return


# -- Pages -------------------------------------------------------------------------------------


class Importer:
    """Saves the pages of a dump."""

    def __init__(self, logger, wiki, task, site):
        self.logger = logger
        self.wiki = wiki
        self.task = task
        self.site = site
        self.wikitext = wiki.load("Lib.Wikitext")
        self.markdown = wiki.load("Lib.MarkdownText")
        params = {name: value for name, value in task.params.items() if value is not None}
        self.spaces = target_spaces(task, params.get("targetSpace", ""))
        self.of_titles = wiki.load("Lib.WikitextTitles")
        self.titles = self.of_titles.Titles(self.spaces, site.namespaces, site.capital)
        self.namespaces = self.read_namespaces(params.get("namespaces") or "")
        self.keep_redirects = params.get("redirects", "page") != "skip"
        self.keep_templates = params.get("templates", "keep") != "drop"
        self.update = params.get("existing", "update") != "keep"
        history = params.get("revisions") == "history"
        self.revisions = int(params.get("revisionLimit", 20)) if history else 1
        self.files = {} if params.get("files") == "ignore" else self.attached_files()
        self.templates = Counter()
        self.left_out = Counter()

    def read_namespaces(self, text):
        """The numbers of the namespaces that the parameter names."""
        if not text.strip():
            return set(NAMESPACES)
        numbers = set()
        for name in filter(None, map(str.strip, text.split(","))):
            number = (int(name) if name.isdecimal() else
                      0 if name.lower() in ("main", "article", "articles") else
                      self.titles.numbers.get(name.lower()))
            if number is None:
                there = ", ".join(f"{number} {name}".strip() for number, name
                                  in sorted(self.titles.names.items()) if number > 0)
                self.task.fail(f"namespaces: the dump has no namespace {name!r}; it has 0, "
                               f"{there}")
            numbers.add(number)
        return numbers

    def attached_files(self):
        return {self.wikitext.file_key(item.filename): item.filename
                for item in self.task.attachments if not item.filename.endswith(ENDINGS)}

    def make_home_page(self):
        """A home page for the space, where there is none."""
        home = Reference(self.spaces, HOME)
        if home in self.wiki:
            return
        page = self.wiki.new(home, title=self.site.name or self.spaces[-1])
        if self.site.main_page:
            main = self.titles.reference(self.site.main_page)
            label = self.markdown.escape(self.site.main_page)
            page.content = f"- {self.markdown.page_link(label, main)}\n\n"
        page.content += "<<children/>>"
        page.save(comment="Imported from a MediaWiki")

    def save(self, item):
        """Make a page of an entry, or change it; ends the item where there is nothing to do."""
        entry = item.value
        if entry.namespace not in self.namespaces:
            item.skip(f"in namespace {entry.namespace}")
        texts = [revision for revision in entry.revisions if revision.text is not None]
        if not texts:
            item.skip("its text was deleted")
        redirect = entry.redirect or self.redirect(texts[-1])
        if redirect and not self.keep_redirects:
            item.skip(f"a redirect to {redirect}")
        page = self.wiki.get_or_new(self.titles.reference(entry.title))
        if not page.is_new and not self.update:
            item.skip("the page exists")
        saved = False
        for revision in texts[-self.revisions:] if page.is_new else texts[-1:]:
            before = page.record
            self.fill(page, entry, revision)
            if page.record != before:
                page.save(comment=comment_of(revision))
                saved = True
        if not saved:
            item.skip("unchanged")

    def redirect(self, revision):
        return self.of_titles.redirect(revision.text) if revision.model == "wikitext" else ""

    def fill(self, page, entry, revision):
        """Give the page what a revision says."""
        page.title = entry.title
        above = entry.title.rpartition("/")[0]
        page.parent = str(self.titles.reference(above) if above else
                          Reference(self.spaces, HOME))
        if revision.model not in ("wikitext", ""):
            page.content = self.markdown.fence(revision.text, CODE.get(revision.model, ""))
            return
        redirect = self.redirect(revision)
        if redirect:
            title = redirect.partition("#")[0]
            link = self.markdown.page_link(self.markdown.escape(title),
                                           self.titles.reference(title))
            page.content = f"See {link}."
            return
        self.fill_text(page, entry, revision.text)

    def fill_text(self, page, entry, text):
        found = self.wikitext.convert(text, entry.title, self.titles, self.keep_templates,
                                      self.files)
        page.content = found.markdown
        page.tags = found.tags
        self.templates += found.templates
        self.left_out += found.left_out
        there = {item.filename: item.sha256 for item in page.attachments}
        for name in found.files:
            file = self.task.attachment(name)
            if there.get(name) != file.sha256:
                with file.open() as stream:
                    page.attach(name, stream)

    def report(self):
        """Say what was left out."""
        if self.templates:
            named = ", ".join(f"{name} ({count:,})"
                              for name, count in self.templates.most_common(NAMED))
            self.logger.info("Calls of templates, %s: %s, of %s templates: %s%s",
                             "kept as code" if self.keep_templates else "dropped",
                             f"{self.templates.total():,}", f"{len(self.templates):,}", named,
                             ", …" if len(self.templates) > NAMED else "")
        for what, count in self.left_out.most_common():
            self.logger.info("Left out: %s (%s)", what, f"{count:,}")


def target_spaces(task, space):
    """The names of the space that the parameter names."""
    if not space.strip():
        task.fail("targetSpace is empty: name the space that the pages go to")
    try:
        return Reference.parse(f"{space.strip()}.{HOME}").spaces
    except InvalidReference as error:
        task.fail(f"targetSpace: {error}")


def comment_of(revision):
    """What the history says of a revision: who wrote it, when, and why."""
    who = revision.author or "somebody unknown"
    when = f", {revision.date}" if revision.date else ""
    return f"By {who}{when}{': ' if revision.comment else ''}{revision.comment}"[:500]
