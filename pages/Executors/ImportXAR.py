"""Import an archive of XWiki (XAR): its documents with classes, objects and attachments.

The archive is attached to the task's page. Its documents are read one by one, twice: first to
know which there are and which define classes, then to save them, classes first.
"""

import base64
import binascii
import re
from collections import Counter
from dataclasses import dataclass

from wiki.errors import InvalidDocument, InvalidReference, InvalidValue
from wiki.model import ClassDefinition
from wiki.references import HOME, Reference

#: Pages of these spaces are this wiki's own; the classes in the first keep their names.
OWN_SPACES = ("TaskExecutorCode", "Wiki", "Executors", "Lib", "Users", "Help")
TASKS = "TaskExecutorCode.TaskClass"
#: Objects that would run here.
RUNNABLE = ("TaskExecutorCode.TaskExecutorClass", "TaskExecutorCode.ModuleClass",
            "TaskExecutorCode.TaskRunClass", "Wiki.MacroClass", "Wiki.MacroParameterClass",
            "Wiki.SchedulerJobClass")
RIGHTS = ("XWiki.XWikiRights", "XWiki.XWikiGlobalRights")
TAGS = "XWiki.TagClass"


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    xar = wiki.load("Lib.XAR")
    attachment = find_archive(task)
    try:
        with xar.open_archive(attachment) as archive:
            importer = Importer(logger, wiki, task, archive)
            with task.step("Looking at the documents"):
                entries = importer.look()
            with task.step("Importing"):
                for item in task.items(entries, key="key"):
                    with item:
                        importer.save(item)
            importer.report()
    except xar.BadArchive as error:
        task.fail(f"{attachment.filename}: {error}")


# -- The archive -------------------------------------------------------------------------------


def find_archive(task):
    """The attachment that the parameters name, or the only archive."""
    name = task.params.get("file")
    if name:
        return task.attachment(name)
    found = [item.filename for item in task.attachments
             if item.filename.lower().endswith((".xar", ".zip"))]
    if not found:
        task.fail("No archive is attached to the task's page: attach a file .xar")
    if len(found) > 1:
        task.fail("Several archives are attached; say which one in the parameter file: "
                  + ", ".join(found))
    return task.attachment(found[0])


@dataclass
class Entry:
    """A document of the archive: the file that it is in, and its names."""

    file: str
    names: tuple
    language: str = ""
    has_class: bool = False

    @property
    def key(self):
        return ".".join(self.names) + (f" ({self.language})" if self.language else "")


# -- Pages -------------------------------------------------------------------------------------


class Importer:
    """Saves the documents of an archive."""

    def __init__(self, logger, wiki, task, archive):
        self.logger = logger
        self.wiki = wiki
        self.task = task
        self.xar = wiki.load("Lib.XAR")
        self.syntax = wiki.load("Lib.XWikiSyntax")
        self.html = wiki.load("Lib.HTMLText")
        self.markdown = wiki.load("Lib.MarkdownText")
        self.names = wiki.load("Lib.Names")
        self.classes = wiki.load("Lib.XWikiClasses")
        self.references = wiki.load("Lib.XWikiReferences")
        self.reader = self.xar.Reader(archive)
        params = task.params
        self.spaces = target_spaces(task, params.get("targetSpace") or "")
        self.system = bool(params.get("systemPages"))
        self.translations = params.get("translations") != "skip"
        self.update = params.get("existing") != "keep"
        self.places = None
        self.lost = Counter()

    def look(self):
        """Which documents there are, those with classes first."""
        entries = []
        files = [name for name in self.reader.archive.namelist()
                 if name.lower().endswith(".xml") and name != "package.xml"]
        for name in self.task.track(files):
            try:
                document = self.reader.document(name)
            except self.xar.BadXML:
                entries.append(Entry(name, (name,)))  # says why when its turn comes
                continue
            if document is not None and document.names:
                language = document.fields.get("language", "").strip()
                is_translation = document.fields.get("translation", "0").strip() == "1"
                has_class = bool(document.definition and document.definition.properties)
                entries.append(Entry(name, document.names, language if is_translation else "",
                                     has_class))
        if not entries:
            raise self.xar.BadArchive("it holds no document of XWiki")
        taken = (entry.names for entry in entries if self.system or entry.names[0] != "XWiki")
        self.places = self.references.Places(self.spaces, taken, OWN_SPACES[:1])
        self.logger.info("%d documents, %d of them classes", len(entries),
                         sum(entry.has_class for entry in entries))
        return sorted(entries, key=lambda entry: not entry.has_class)

    def save(self, item):
        """Make a page of a document, or change it; ends the item where there is nothing to do."""
        entry = item.value
        if entry.names[0] == "XWiki" and not self.system:
            item.skip("a page of XWiki itself")
        if entry.language and not self.translations:
            item.skip("a translation")
        document = self.reader.document(entry.file)
        reference = self.places.place(entry.names)
        if entry.language:
            reference = Reference(reference.spaces, self.names.page_name(
                f"{reference.name} ({entry.language})"))
        if reference.spaces[0] in OWN_SPACES:
            item.skip("the space is this wiki's own")
        page = self.wiki.get_or_new(reference)
        if not page.is_new and not self.update:
            item.skip("the page exists")
        before = page.record
        self.fill(page, document)
        if page.record == before and not page.is_new:
            item.skip("unchanged")
        page.save(comment=comment_of(document))

    def fill(self, page, document):
        """Give the page what the document says."""
        fields = document.fields
        page.title = self.title(fields.get("title", "").strip())
        page.hidden = self.classes.is_true(fields.get("hidden"))
        page.parent = self.parent(document)
        page.content = self.content(fields.get("content", ""), fields.get("syntaxId", ""),
                                    document.names)
        if document.definition and document.definition.properties:
            page.class_definition = ClassDefinition(
                tuple(self.classes.properties(document.definition)))
        self.attach(page, document)
        self.fill_objects(page, document)

    def title(self, title):
        """The title; one that is a script is none."""
        if re.search(r"\$!?[\w{]|#(set|if|foreach)\b", title):
            self.lost["titles that are scripts"] += 1
            return ""
        return self.markdown.without_controls(title)

    def parent(self, document):
        """The parent that the document names, or the page above it."""
        names = document.names
        text = document.fields.get("parent", "").strip()
        if text:
            return str(self.places.page(text, names))
        above = names[:-2] if names[-1] == HOME else names[:-1]
        return str(self.places.place((*above, HOME))) if above else ""

    def content(self, text, syntax, names):
        if not text.strip():
            return ""
        if syntax in ("xwiki/2.0", "xwiki/2.1", ""):
            found = self.syntax.convert(text, names, self.places)
            self.lost += found.lost
            return found.markdown
        if syntax.startswith(("html/", "xhtml/", "annotatedhtml")):
            return self.html.convert(text)
        if syntax == "plain/1.0":
            return self.markdown.paragraph(self.markdown.escape(
                self.markdown.without_controls(text)))
        self.lost[f"contents in {syntax}, shown as code"] += 1
        return self.markdown.fence(self.markdown.without_controls(text))

    def attach(self, page, document):
        there = {item.filename: item for item in page.attachments}
        for original, content in document.attachments:
            name = self.names.filename(original)
            if name != original:
                self.logger.info("%s: the file %r is called %s", page.reference, original, name)
            try:
                data = base64.b64decode(content, validate=False)
            except binascii.Error:
                raise InvalidDocument(f"the file {original!r} is damaged") from None
            if name not in there or there[name].read() != data:
                page.attach(name, data)

    # -- objects -----------------------------------------------------------------------------

    def fill_objects(self, page, document):
        """Give the page the document's objects, in place of those of their classes."""
        tags, counts = [], Counter()
        for obj in document.objects:
            class_name = obj.definition.name
            if class_name == TAGS:
                tags += self.tags(obj)
            elif class_name in RIGHTS:
                self.lost[f"objects of {class_name}"] += 1
            elif class_name:
                self.fill_object(page, document.names, obj, counts)
        page.tags = tuple(dict.fromkeys(tags))
        for old in page.objects():
            if counts[old.class_name] and old.number >= counts[old.class_name]:
                page.remove_object(old.class_name, old.number)

    def tags(self, obj):
        texts = obj.values.get("tags", [])
        texts = re.split(r"[|,]", texts[0]) if len(texts) == 1 else texts
        return [text.strip() for text in texts if text.strip()]

    def fill_object(self, page, names, obj, counts):
        class_page = str(self.places.place(self.places.document(obj.definition.name, names)))
        if obj.definition.name in RUNNABLE or class_page in RUNNABLE:
            self.show_script(page, obj)
            return
        values = self.values(obj, names)
        if class_page == TASKS:
            values["status"] = "SUSPENDED"
        number = counts[class_page]
        counts[class_page] += 1
        self.put(page, class_page, number, values)

    def show_script(self, page, obj):
        """What would run here is only shown."""
        self.lost[f"objects of {obj.definition.name}, their scripts shown as code"] += 1
        for name in ("script", "code"):
            if any(obj.values.get(name, ())):
                script = self.markdown.without_controls(obj.values[name][0])
                note = f"<<warning>>The {name} of an object {{}}. It does not run here.<</warning>>"
                page.content += "\n\n" + note.format(
                    self.markdown.code(obj.definition.name)) + "\n\n" + self.markdown.fence(script)

    def values(self, obj, names):
        """Property -> value, as our types have them."""
        properties = {prop.name: prop for prop in self.classes.properties(obj.definition)}
        found = {}
        for name, texts in obj.values.items():
            prop = properties.get(self.classes.property_name(name))
            spec = obj.definition.properties.get(name, {})
            if prop is None:
                continue
            value = self.classes.value_of(texts, prop, spec)
            if prop.type == "Page" and value:
                value = ([str(self.places.page(item, names)) for item in value]
                         if isinstance(value, list) else str(self.places.page(value, names)))
            elif prop.type == "TextArea" and value and prop.options.get("kind") == "markdown":
                value = self.content(value, "xwiki/2.1", names)
            if value is not None:
                found[prop.name] = value
        return found

    def put(self, page, class_name, number, values):
        """Add the object or change it; a value that the class refuses is left out."""
        while True:
            obj = page.object(class_name, number)
            try:
                if obj is None:
                    page.add_object(class_name, **values)
                elif any(obj[name] != value for name, value in values.items()):
                    obj.update(**values)
                return
            except InvalidValue as error:
                if error.property not in values:
                    raise
                del values[error.property]
                self.lost["values that their class refuses"] += 1
                self.logger.warning("%s: a value is left out: %s", page.reference, error)

    def report(self):
        for what, count in self.lost.most_common():
            self.logger.info("Without an equal here: %s (%s)", what, f"{count:,}")


def target_spaces(task, space):
    """The names of the space that the parameter names; () for none."""
    if not space.strip():
        return ()
    try:
        return Reference.parse(f"{space.strip()}.{HOME}").spaces
    except InvalidReference as error:
        task.fail(f"targetSpace: {error}")


def comment_of(document):
    """What the history says of a document: its version, its author, why it was saved."""
    fields = document.fields
    author = fields.get("author", "").strip().rpartition(":")[2] or "somebody unknown"
    why = fields.get("comment", "").strip()
    version = fields.get("version", "?").strip()
    return f"Version {version} by {author}" + (f": {why}" if why else "")
