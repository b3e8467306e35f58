"""Markdown: what of CommonMark each engine gives, and how fast: ``python -m bench.markdown``.

Then texts made to be slow, sanitising included, each at one, two and four times the size: what
takes time linear in the text takes twice as long for twice as much.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.parsing import seconds  # noqa: E402
from tests.commonmark_examples import examples, passing  # noqa: E402
from wiki.rendering.markdown import to_html  # noqa: E402
from wiki.rendering.sanitize import sanitize  # noqa: E402

ROUNDS = 15
#: Pages such as people write, one after the other: prose, links, lists, tables, code.
PAGE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/*.md")))

#: A hostile text's name, and what is repeated in it.
HOSTILE = {
    "emphasis": "word *x* ", "opened emphasis": "*a **b ", "marks of two kinds": "*a _b ",
    "closed emphasis": "a** ", "strikethrough": "~a ~~b ", "brackets": "[", "images": "![",
    "closed brackets": "]", "links": "[a](b) ", "opened targets": "[a](<b", "deep targets":
    "[a](((((b", "references": "[a][b] ", "wiki links": "[[a]] ", "opened wiki links": "[[a ",
    "footnotes": "[^a] ", "code": "`a` ", "ticks": "` `` ``` ", "tags": "<a ", "quotes in tags":
    '<a b="', "CDATA": "<![CDATA[ ", "comments": "<!-- ", "instructions": "<? ", "formulas":
    "$a$ ", "addresses": "see https://a.org ok ", "mail": "a@", "escapes": "\\* ", "entities":
    "&amp; ", "headings": "# a\n", "items": "- a\n", "deep quotes": "> > > a\n", "tables":
    "|a|b|\n|-|-|\n|1|2|\n\n", "attributes": "a {: .b }\n\n", "definitions": "a\n: b\n\n",
}
SIZE = 50_000

_LANGUAGE = re.compile(r"^(```+)\w+$", re.MULTILINE)

Convert = Callable[[str], str]


def _sanitised(text: str) -> str:
    return sanitize(to_html(text))


def _engines() -> dict[str, Convert]:
    import commonmark
    import markdown
    import markdown2
    import markdown_it
    import mistune

    plain = markdown.Markdown()
    extended = markdown.Markdown(extensions=[
        "tables", "fenced_code", "codehilite", "footnotes", "def_list", "attr_list", "toc",
        "sane_lists", "admonition"], extension_configs={"codehilite": {"guess_lang": False}})
    it = markdown_it.MarkdownIt("commonmark").enable("table")
    return {
        "ours": to_html,
        "ours, sanitised": _sanitised,
        f"Python-Markdown {version('Markdown')}": lambda text: plain.reset().convert(text),
        "the same with its extensions": lambda text: extended.reset().convert(text),
        f"markdown-it-py {version('markdown-it-py')}": it.render,
        f"mistune {version('mistune')}": mistune.create_markdown(escape=False, plugins=["table"]),
        f"markdown2 {version('markdown2')}": markdown2.Markdown(
            extras=["tables", "fenced-code-blocks"]).convert,
        f"commonmark {version('commonmark')}": commonmark.commonmark,
    }


def _times(engines: dict[str, Convert], text: str) -> dict[str, float]:
    """The best processor time of each, seconds; they take turns on the same machine."""
    best = dict.fromkeys(engines, float("inf"))
    for _ in range(ROUNDS):
        for name, convert in engines.items():
            started = time.process_time()
            convert(text)
            best[name] = min(best[name], time.process_time() - started)
    return best


def _ratios() -> None:
    print(f"\n{'hostile texts':<24} {SIZE // 1000:>8} kB {'x 2':>8} {'x 4':>8}")
    for name, piece in HOSTILE.items():
        one, two, four = (seconds(partial(_sanitised, piece * (times * SIZE // len(piece))))
                          for times in (1, 2, 4))
        print(f"{name:<24} {1e3 * one:>8.2f} ms {two / one:>8.2f} {four / two:>8.2f}", flush=True)


def main() -> None:
    total = len(examples())
    engines = _engines()
    print(f"{total} examples of CommonMark 0.31; {len(PAGE) / 1000:.0f} kB of pages, best of "
          f"{ROUNDS}: whole, and without the languages of its fences (nobody highlights)")
    times = _times(engines, PAGE)
    bare = _times(engines, _LANGUAGE.sub(r"\1", PAGE))
    alone = f"Python-Markdown {version('Markdown')}"
    for name, convert in engines.items():
        count = len(passing(convert)) if name != "ours, sanitised" else 0
        rate = f"{count:3} of {total}, {100 * count / total:5.1f} %" if count else " " * 19
        print(f"{name:29} {rate}  {1000 * times[name]:6.1f} ms  {1000 * bare[name]:6.1f} ms, "
              f"{bare[name] / bare[alone]:4.2f} of Python-Markdown alone")
    _ratios()


if __name__ == "__main__":
    main()
