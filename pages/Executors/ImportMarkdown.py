"""Import Markdown files with their pictures: of a zip file, or attached to the task's page one by
one.

First all files are looked at: each gets the name of its page, so that links between them can be
turned. Then the pages are saved, an item of the task for every file. How links and front matter
are read is in `Lib.MarkdownFiles`, how names from elsewhere become ours in `Lib.Names`. The task's
parameters are those of `Executors.ImportMarkdownParameters`.
"""

import re
import stat
import unicodedata
import zipfile
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

import yaml
from charset_normalizer import from_bytes

from wiki import pagefile
from wiki.errors import InvalidReference, TaskFailed, WikiError
from wiki.references import HOME, Reference
from wiki.transfer import Change, put_page

FRONT_MATTER = "Executors.FrontMatterClass"
SUFFIXES = (".md", ".markdown", ".mdown")
HOME_NAMES = ("index", "_index", "readme")
#: The largest Markdown file, in bytes.
MAX_TEXT = 5_000_000
#: Keys of front matter that only page files of a Wikimill have.
OWN_KEYS = {"objects", "class", "parent", "hidden", "syntax", "attachments", "reference"}
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    with ExitStack() as stack:
        entries = find_entries(logger, wiki, task, stack)
        plan = Plan(logger, wiki, task, entries)
        with task.step("Look at the files"):
            for page in task.track(plan.pages.values()):
                plan.look_at(page)
            plan.hand_out_files()
        with task.step("Save the pages"):
            pages = sorted(plan.pages.values(), key=lambda page: not page.is_class)
            for item in task.items(pages, key="path"):
                with item:
                    save_page(wiki, task, plan, item)


# -- The files ---------------------------------------------------------------------------------


def find_entries(logger, wiki, task, stack):
    """Path -> function that opens the file, of all files there are."""
    wanted = task.params.get("file")
    attached = [task.attachment(wanted)] if wanted else [
        item for item in task.attachments if item.filename != "rejected.csv"]
    zips = [item for item in attached if item.filename.lower().endswith(".zip")]
    if len(zips) > 1:
        raise TaskFailed("several zip files are attached; say which one in the parameter file: "
                         + ", ".join(item.filename for item in zips))
    if zips:
        entries = open_archive(logger, wiki.load("Lib.Archives"), zips[0], stack)
    else:
        entries = {(item.filename,): task.attachment(item.filename).open for item in attached}
    if not any(is_markdown(path) for path in entries):
        raise TaskFailed("there is no Markdown file (.md): attach a zip file of some, or the "
                         "files themselves")
    return without_top(entries)


def open_archive(logger, archives, attachment, stack):
    """The files of a zip file, opened as they are asked for: nothing is unpacked to the disk."""
    stream = stack.enter_context(attachment.open())
    archive = stack.enter_context(archives.open_zip(stream, attachment.filename))
    items = [item for item in archive.infolist() if not item.is_dir()]
    entries = {}
    for item in items:
        path = path_of(logger, item)
        if path and path not in entries:
            entries[path] = lambda item=item: archive.open(item)
        elif path:
            logger.warning("%s is in the archive twice; the first one is taken", "/".join(path))
    return entries


def path_of(logger, item):
    """The parts of an entry's path; empty for one that is passed over."""
    name = item.filename
    if not item.flag_bits & 0x800:  # not marked as UTF-8, which many programs write all the same
        with suppress(UnicodeError):  # it is in the old encoding indeed
            name = name.encode("cp437").decode()
    parts = tuple(unicodedata.normalize("NFC", name.replace("\\", "/")).split("/"))
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        logger.warning("%s is refused: its path leads out of the archive", name)
        return ()
    if stat.S_ISLNK(item.external_attr >> 16):
        logger.warning("%s is refused: it is a symbolic link", name)
        return ()
    parts = tuple(part for part in parts if part not in ("", "."))
    hidden = any(part.startswith(".") for part in parts) or "__MACOSX" in parts
    return () if hidden else parts


def without_top(entries):
    """Without the folder that holds everything, if there is one."""
    tops = {path[0] for path in entries}
    if len(tops) > 1 or any(len(path) == 1 for path in entries):
        return entries
    return without_top({path[1:]: opened for path, opened in entries.items()})


def is_markdown(path):
    return path[-1].lower().endswith(SUFFIXES)


def stem_of(filename):
    return filename.rpartition(".")[0]


def decode(data):
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = from_bytes(data).best()
        return str(best) if best else data.decode("cp1252", errors="replace")


# -- Which file becomes which page -------------------------------------------------------------


@dataclass
class Page:
    """A page to be: its file's path as text, or that of a folder that has no home page."""

    path: str
    folder: tuple
    reference: Reference
    #: None where the wiki makes the page itself.
    open: object = None
    #: Whether it is one of our own page files, and whether one that defines a class.
    own: bool = False
    is_class: bool = False
    #: Attached file -> path of its entry.
    files: dict = field(default_factory=dict)


class Plan:
    """All pages to be, and where links between their files lead."""

    def __init__(self, logger, wiki, task, entries):
        self.files_of = wiki.load("Lib.MarkdownFiles")
        self.names_of = wiki.load("Lib.Names")
        self.logger = logger
        self.entries = entries
        self.params = task.params
        self.root = self._target(task.params.get("targetSpace"))
        #: Path -> page; a folder's home page also by the folder's path.
        self.pages, self.homes = {}, {}
        self._taken = set()
        self._used = set()
        self._by_path, self._by_name = {}, defaultdict(list)
        self._name_pages()
        for path in sorted(entries):
            self._by_path.setdefault("/".join(path).casefold(), path)
            self._by_name[path[-1].casefold()].append(path)

    def _target(self, space):
        if not space:
            raise TaskFailed("targetSpace is empty: name the space that the pages go to")
        try:
            return Reference.parse(f"{space}.{HOME}").spaces
        except InvalidReference as error:
            raise TaskFailed(str(error)) from None

    # -- names

    def _name_pages(self):
        paths = sorted(filter(is_markdown, self.entries), key=lambda path: (
            path[:-1], not self._is_home(path), path))
        for path in paths:
            folder = path[:-1]
            is_home = self._is_home(path) and folder not in self.homes
            name = HOME if is_home else self._unique(folder, self._name(path))
            try:
                ref = Reference(self._spaces(folder), name)
            except InvalidReference as error:
                self.logger.warning("%s is left out: %s", "/".join(path), error)
                continue
            self.pages[path] = Page("/".join(path), folder, ref, self.entries[path])
            if is_home:
                self.homes[folder] = self.pages[path]
        for path in list(self.pages):
            for depth in range(len(path)):
                self._make_home(path[:depth])

    def _is_home(self, path):
        return stem_of(path[-1]).lower() in (*HOME_NAMES, HOME.lower())

    def _name(self, path):
        stem = stem_of(path[-1])
        wanted = unquote(stem) if self.params.get("pageFiles") else stem
        name = self.names_of.shortened(self.names_of.page_name(wanted), 240)
        if name != wanted:
            self.logger.info("%s: the page is called %r", "/".join(path), name)
        return name

    def _spaces(self, folder):
        decoded = map(unquote, folder) if self.params.get("pageFiles") else folder
        return (*self.root, *map(self.names_of.page_name, decoded))

    def _unique(self, folder, name):
        """The name, or with a number: also where another differs in capitals only."""
        unique, again = name, 1
        while (folder, unique.casefold()) in self._taken or unique == HOME:
            again += 1
            unique = f"{name} ({again})"
        if unique != name:
            self.logger.warning("%s: the name %r is taken; the page is called %r",
                                "/".join(folder) or "/", name, unique)
        self._taken.add((folder, unique.casefold()))
        return unique

    def _make_home(self, folder):
        if folder not in self.homes:
            page = Page("/".join(folder) + "/", folder, Reference(self._spaces(folder), HOME))
            self.homes[folder] = self.pages[(*folder, "")] = page

    # -- what the files say

    def text_of(self, page):
        with page.open() as stream:
            data = stream.read(MAX_TEXT + 1)
        if len(data) > MAX_TEXT:
            raise TaskFailed(f"{page.path} is larger than {MAX_TEXT} bytes; it is no page")
        return decode(data)

    def look_at(self, page):
        """See which files the page shows, and whether it is a page file of ours."""
        if page.open is None:
            return
        try:
            text = self.text_of(page)
        except (zipfile.BadZipFile, TaskFailed):
            return  # the item that saves it fails with this, and says so
        front, _ = self.files_of.split_front_matter(text)
        page.own = bool(self.params.get("pageFiles")) and bool(OWN_KEYS & front.keys())
        page.is_class = page.own and "class" in front
        if page.own:
            beside = (*page.folder, stem_of(page.path.rpartition("/")[2]) + pagefile.FILES_SUFFIX)
            self._used.update(path for path in self.entries if path[:-1] == beside)
        else:
            self.convert(page, text)

    def hand_out_files(self):
        """Files that no page shows go to the home page of their folder."""
        for path in sorted(self.entries):
            if path in self._used or is_markdown(path) or path[-1].lower() == "rejected.csv":
                continue
            folder = path[:-1]
            while folder not in self.homes:
                folder = folder[:-1]
            self.attach(self.homes[folder], path)

    def attach(self, page, path):
        """Have the page take the file; returns its name there."""
        self._used.add(path)
        for filename, other in page.files.items():
            if other == path:
                return filename
        wanted = self.names_of.filename(path[-1]).replace("@", "-")  # which links read as a page
        stem, dot, extension = wanted.rpartition(".")
        filename, again = wanted, 1
        while filename in page.files:
            again += 1
            filename = f"{stem} ({again}){dot}{extension}"
        page.files[filename] = path
        return filename

    # -- links

    def convert(self, page, text):
        """The page's text with its links turned; the page takes the files that it shows."""
        return self.files_of.convert_links(
            text, lambda target, kind: self._resolve(page, target, kind))

    def _resolve(self, page, target, kind):
        if SCHEME.match(target):
            return None
        name, _, anchor = target.partition("#")
        wiki_link = kind in ("wiki", "embed")
        if wiki_link:
            heading = anchor.rpartition("#")[2]
            anchor = "" if heading.startswith("^") else (
                self.files_of.markdown.anchor_of(heading))
        if not name:
            return self.files_of.Found(page.reference, anchor=anchor) if wiki_link else None
        path = self._find_note(page, name) if wiki_link else self._find(
            page.folder, name.partition("?")[0])
        return self._found(page, path, anchor) or self._missing(page, name, anchor, kind)

    def _found(self, page, path, anchor):
        if path is None:
            return None
        other = self.pages.get(path) or self.homes.get(path)
        if other is not None:
            return self.files_of.Found(other.reference, anchor=anchor)
        if is_markdown(path):
            return None
        return self.files_of.Found(filename=self.attach(page, path))

    def _missing(self, page, name, anchor, kind):
        if kind == "wiki":  # a page that is wanted
            wanted = self.names_of.page_name(name.rpartition("/")[2])
            return self.files_of.Found(Reference(page.reference.spaces, wanted), anchor=anchor)
        self.logger.debug("%s: the link to %s leads to no file", page.path, name)
        return None

    def _find(self, folder, target):
        """The path that a relative link leads to: a file, a folder, or None."""
        parts = [] if target.startswith("/") else list(folder)
        for part in target.split("/"):
            if part == ".." and not parts:
                return None
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(unicodedata.normalize("NFC", part))
        path = tuple(parts)
        if path in self.entries or path in self.homes:
            return path
        joined = "/".join(path).casefold()
        return self._by_path.get(joined) or self._by_path.get(f"{joined}.md")

    def _find_note(self, page, name):
        """The path of the note or file that Obsidian means: by its path, else by its name in the
        nearest folder."""
        path = self._find((), name) or self._find(page.folder, name)
        if path is not None:
            return path
        last = unicodedata.normalize("NFC", name.rpartition("/")[2]).casefold()
        paths = self._by_name.get(f"{last}.md") or self._by_name.get(last) or []
        return min(paths, default=None, key=lambda path: (path[:-1] != page.folder, len(path),
                                                         path))


# -- The pages ---------------------------------------------------------------------------------


def save_page(wiki, task, plan, item):
    planned = item.value
    if plan.params.get("existing") == "skip" and planned.reference in wiki:
        item.skip(f"{planned.reference} is there already")
    if planned.open is None and planned.reference in wiki and not planned.files:
        item.skip("it lists its pages already")
    if planned.own:
        save_page_file(wiki, task, plan, item)
        return
    page = wiki.get_or_new(planned.reference)
    before = page.record
    if planned.open is not None:
        fill(page, planned, plan)
    elif page.is_new:
        page.title, page.content = planned.reference.spaces[-1], "<<children/>>\n"
    if page.is_new:
        page.parent = parent_of(planned)
    for filename, path in planned.files.items():
        attach(page, before, filename, plan.entries[path])
    if page.is_new or page.record != before:
        page.save(comment=f"Imported from {planned.path}"[:250])


def parent_of(planned):
    spaces = planned.reference.spaces
    if planned.reference.name != HOME:
        return str(Reference(spaces, HOME))
    return str(Reference(spaces[:-1], HOME)) if planned.folder else f"Main.{HOME}"


def fill(page, planned, plan):
    """Give the page what its file says."""
    front, text = plan.files_of.split_front_matter(plan.text_of(planned))
    text = text.replace("\r\n", "\n")
    heading, rest = plan.files_of.first_heading(text)
    title = " ".join(str(front.pop("title", "") or "").split())
    if heading and title in ("", heading):
        text = rest
    name = planned.reference.name
    page.title = (title or heading or (planned.reference.spaces[-1] if name == HOME else
                                       name))[:255]
    tags = [tag for key in ("tags", "tag", "categories", "keywords")
            for tag in plan.files_of.texts_of(front.pop(key, None))]
    page.tags = tuple(dict.fromkeys(tag.lstrip("#").replace(",", " ") for tag in tags))
    text = plan.convert(planned, plan.files_of.escape_macros(text)).lstrip("\n")
    page.content = plan.files_of.escape_macros(text, but="include")  # of an embedded note
    if front:
        set_front_matter(page, front, plan)


def set_front_matter(page, front, plan):
    aliases = [name for key in ("aliases", "alias")
               for name in plan.files_of.texts_of(front.pop(key, None))]
    values = {"aliases": "\n".join(aliases), "date": None,
              "description": str(front.pop("description", "") or "")}
    if plan.files_of.date_of(front.get("date")):
        values["date"] = plan.files_of.date_of(front.pop("date"))
    values["other"] = yaml.safe_dump(front, allow_unicode=True, sort_keys=False) if front else ""
    obj = page.object(FRONT_MATTER) or page.add_object(FRONT_MATTER)
    obj.update(**values)


def attach(page, before, filename, open_entry):
    """Attach the file, unless the page has just this one."""
    with open_entry() as stream:
        new = page.attach(filename, stream)
    for old in before.attachments:
        if (old.filename, old.sha256) == (filename, new.sha256):
            page.record = page.record.with_attachment(old)


def save_page_file(wiki, task, plan, item):
    """Save one of our own page files, with its objects, its macros and its attachments."""
    planned = item.value
    stem = stem_of(planned.path.rpartition("/")[2])
    beside = (*planned.folder, stem + pagefile.FILES_SUFFIX)

    def entry(filename):
        for path in ((*beside, filename), (*planned.folder, filename)):
            if path in plan.entries:
                return plan.entries[path]
        raise WikiError(f"{planned.path}: there is no file {filename!r} beside it")

    def load(filename):
        with entry(filename)() as stream:
            return stream.read(MAX_TEXT)

    read = pagefile.parse(plan.text_of(planned), planned.reference, load, source=planned.path)
    files = {}
    for number, filename in enumerate(read.attachments):
        files[filename] = task.workdir / f"attachment-{number}"
        with entry(filename)() as stream, files[filename].open("wb") as copy:
            while chunk := stream.read(1 << 20):
                copy.write(chunk)
    change = put_page(wiki, read.document, files, comment=f"Imported from {planned.path}"[:250])
    if change is Change.UNCHANGED:
        item.skip("it has not changed")
