"""What a run has made, put on its task's page."""

import re

#: How often the page is read anew where somebody saves it at the same moment.
ATTEMPTS = 10


def attach(task, files, comment="", section=None):
    """Attach the files, name -> path, to the task's page; `section` is a heading and the text
    below it, which takes the place of an earlier one. Raises Conflict, or another WikiError."""
    def change(page):
        for filename, path in files.items():
            with path.open("rb") as stream:
                page.attach(filename, stream)
        if section is not None:
            page.content = with_section(page.content, *section)

    wiki.revise(task.reference, change, comment=comment,  # noqa: F821 - given to the module
                minor=True, attempts=ATTEMPTS)


def with_section(content, heading, text):
    """The content with the section at its end, or in the place of the one with its heading."""
    section = f"## {heading}\n\n{text.strip()}\n"
    old = re.compile(rf"^## {re.escape(heading)}[ \t]*\n.*?(?=^#{{1,2}} |\Z)", re.M | re.S)
    if old.search(content):
        return old.sub(lambda _: section, content, count=1)
    return f"{content.rstrip()}\n\n{section}".lstrip("\n")
