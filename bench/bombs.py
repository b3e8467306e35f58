"""Pages made to take for ever: ``python -m bench.bombs [name...]``; a line a page.

How long the first answer took, and how much of that was processor time (on a busy machine the
one that tells), how long the second took, by how much the memory of the server's processes rose
at most, how large the HTML is, and how many error boxes it has and what the last one says.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from wiki.rendering.renderer import Rendering, RenderRequest
from wiki.settings import Settings
from wiki.site import Site

ADMIN = RenderRequest(user="Users.Admin", patience=2.0)
_BOX = re.compile(r'macro-error" role="alert">(.*?)(?:<small>|</(?:div|span)>)', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_PEAK = re.compile(r"VmHWM:\s*(\d+)")

#: Name -> the page's text; pages that it includes are in PAGES.
BOMBS: dict[str, str] = {
    "a page, for scale": "Some *words*.\n\n<<box>>a box<</box>>",
    "a page that includes itself": '<<include page="Bombs.Self"/>>',
    "pages that include each other": '<<include page="Bombs.A"/>>',
    "50 pages that include all 50": '<<include page="Bombs.L0"/>>',
    "9,000 includes of a page": '<<include page="Bombs.Small"/>>\n\n' * 9_000,
    "9,000 includes of a long page": '<<include page="Bombs.Long"/>>\n\n' * 9_000,
    "10,000 macros": "<<id/>> " * 10_000,
    "10,000 boxes": "<<box>>x<</box>>\n\n" * 10_000,
    "100,000 macros": "<<id/>> " * 100_000,
    "70,000 unknown macros": "<<nothing/>> " * 70_000,
    "160,000 broken macros": "<<a k=" * 160_000,
    "10,000 nested bodies": "<<box>>" * 10_000 + "x" + "<</box>>" * 10_000,
    "60,000 nested bodies": "<<box>>" * 60_000 + "x" + "<</box>>" * 60_000,
    "20,000 boxes from a script": "<<jinja>>{% for x in range(20000) %}<<box>>{{ x }}<</box>>\n\n"
                                  "{% endfor %}<</jinja>>",
    "400,000 boxes from a script": "<<jinja>>{% for x in range(400000) %}<<box/>>{% endfor %}"
                                   "<</jinja>>",
    "a script in a script": "<<jinja>><<jin{# #}ja>>{{ 1 }}<</jin{# #}ja>><</jinja>>",
    "1,000 scripts": "<<jinja>>{{ 1 + 1 }}<</jinja>>\n\n" * 1_000,
    "a parameter of 1 MB": '<<box title="' + "x" * 999_000 + '">>the body<</box>>',
    "1 MB of escaped quotes": '<<box title="' + '\\"' * 499_000 + '">>the body<</box>>',
    "1 MB without a closing quote": '<<box title="' + "x" * 999_000,
    "2,000 tables of contents": "<<toc/>>\n\n" * 2_000 + "# Heading\n\n" * 20_000,
    "1 MB of code in a macro": '<<code language="python">>' + "x = 1\n" * 150_000 + "<</code>>",
    "a wiki macro that calls itself": "<<bomb/>>",
}


def make_pages(site: Site) -> None:
    pages = {"Self": BOMBS["a page that includes itself"],
             "A": '<<include page="Bombs.B"/>>', "B": '<<include page="Bombs.A"/>>',
             "Small": "## A heading\n\nSome *words*.\n", "Long": "Some *words*.\n\n" * 1_000}
    all_of_them = "".join(f'<<include page="Bombs.L{other}"/>>\n\n' for other in range(50))
    pages |= {f"L{number}": all_of_them for number in range(50)}
    for name, content in pages.items():
        site.wiki.new(f"Bombs.{name}", content=content).save()
    page = site.wiki.new("Bombs.Macro")
    page.add_object("Wiki.MacroClass", name="bomb", code="<<bomb/>>" * 1_000, body="none")
    page.save()


def processes() -> Iterator[int]:
    """This one, and those that it started."""
    yield os.getpid()
    for path in Path("/proc/self/task").glob("*/children"):
        yield from map(int, path.read_text().split())


def processor_time() -> float:
    """What they have used, in seconds."""
    ticks = 0
    for pid in processes():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Memory:
    """The memory of this process and of those that it started, in bytes."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}
        for pid in processes():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak counts from now on
            self._before[pid] = self._peak(pid)

    def grown(self) -> int:
        """By how much it was at most more than in the beginning; of a process that is new, what
        it was more than the one which it took the place of."""
        new = sorted(self._before.values())[-1:]
        return sum(self._peak(pid) - self._before.get(pid, sum(new)) for pid in processes())

    @staticmethod
    def _peak(pid: int) -> int:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
        return 1024 * int(found[1]) if found else 0


def measure(site: Site, name: str, text: str) -> None:
    page = site.wiki.get_or_new("Bombs.Page")
    page.content = text
    page.save()
    memory = Memory()
    took, busy = [], []
    for _ in range(2):
        begin, cpu = time.perf_counter(), processor_time()
        rendering = site.renderer.render(page.record, ADMIN)
        took.append(time.perf_counter() - begin)
        busy.append(max(0.0, processor_time() - cpu))
    print(f"{name:32} {took[0]:6.2f} {busy[0]:6.2f} {took[1]:6.2f} s "
          f"{max(0, memory.grown()) / 1e6:6.0f} MB {len(rendering.html):>10,}  {said(rendering)}",
          flush=True)


def said(rendering: Rendering) -> str:
    boxes = [unescape(_TAG.sub("", box)) for box in _BOX.findall(rendering.html)]
    return f"{len(boxes)}: {' '.join(boxes[-1].split())[-110:]}" if boxes else "no error box"


def main() -> None:
    print(f"{'':32}  first    cpu  second     grown       HTML  error boxes: the last one")
    names = sys.argv[1:] or list(BOMBS)
    with tempfile.TemporaryDirectory() as directory, Site(
            Settings(data=Path(directory, "data"))) as site:
        site.install()
        make_pages(site)
        site.renderer.sign_with("a key")
        for _ in range(2):  # both workers are there
            measure(site, "a script, for scale", "<<jinja>>{{ 1 + 1 }}<</jinja>>")
        for name in names:
            measure(site, name, BOMBS[name])


if __name__ == "__main__":
    main()
