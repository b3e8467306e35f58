"""What is more than plain text in xwiki/2.1: how it begins, and where it ends."""

import re

#: What is looked for in a text, the first match counts.
TOKEN = re.compile(
    r"~(?P<escaped>.)"
    r"|(?P<verbatim>\{\{\{)"
    r"|\{\{(?P<macro>[A-Za-z][\w.-]*)(?P<params>(?:\s+[\w-]+\s*=\s*(?:\"(?:[^\"~]|~.)*\""
    r"|'[^']*'|[^\s\"'/}]+))*)\s*(?P<empty>/?)\}\}"
    r"|(?P<group>\(\(\()"
    r"|(?P<style>\(%)"
    r"|\[\[(?P<link>(?:[^\[\]]|\[(?!\[)|\](?!\]))+)\]\]"
    r"|\b(?P<url>(?:https?|ftp)://[^\s\[\]|<>()]+[^\s\[\]|<>().,;:!?'\"]|mailto:[^\s\[\]|<>()]+"
    r"@[\w.-]*\w)"
    r"|(?<![\w:])(?P<kind>image|attach):(?P<file>[^\s\[\]|(){}]*[^\s\[\]|(){}.,;:!?])",
    re.DOTALL)
CLOSERS = {"{{{": "}}}", "(%": "%)", "(((": ")))"}
PARAM = re.compile(r"([\w-]+)\s*=\s*(?:\"((?:[^\"~]|~.)*)\"|'([^']*)'|([^\s\"'/}]+))", re.S)


def is_alone(text, start):
    """Whether nothing stands before it on its line."""
    return not text[text.rfind("\n", 0, start) + 1:start].strip()


def closing(text, position, opener, closer):
    """Where what was opened before `position` is closed; -1 if nowhere."""
    depth = 1
    while True:
        end = text.find(closer, position)
        if end < 0:
            return -1
        start = text.find(opener, position)
        if 0 <= start < end:
            tag = text.find("}}", start)
            if opener == "(((" or (tag > 0 and text[tag - 1] != "/"):
                depth += 1
            position = start + len(opener)
            continue
        depth -= 1
        if depth == 0:
            return end
        position = end + len(closer)
