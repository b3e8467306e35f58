"""What views cost, as ratios: ``python -m bench.views [seconds]``.

* A kept view against a plain Flask view of the same bytes, on the same kind of server, at 8
  connections, in turns (needs ``wrk``).
* The first rendering of a text against Python-Markdown alone on it.
* A page with 200 macros, one that includes 50 pages, one with a live macro: the first view, a
  view after some other page was saved, and a view while nothing changes.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

import markdown
from flask import Flask, Response

from wiki.model import Document
from wiki.references import Reference
from wiki.rendering.renderer import RenderRequest
from wiki.serving import Server, listen
from wiki.settings import Settings
from wiki.site import Site
from wiki.web.app import create_app

PAGE = "/Help.Syntax"
CONNECTIONS = 8
#: Of Python-Markdown alone: those that give what the wiki's own Markdown gives.
EXTENSIONS = ("tables", "footnotes", "def_list", "attr_list", "sane_lists", "toc",
              "pymdownx.tasklist", "pymdownx.tilde", "pymdownx.superfences", "pymdownx.highlight")
ROUNDS = 5


class PlainServer(Server):
    """The wiki's server with a Flask application that has one view, of constant bytes."""

    body = b""

    def load(self) -> Flask:
        app = Flask("plain")
        app.add_url_rule("/", view_func=lambda: Response(self.body, mimetype="text/html"))
        return app


@dataclass
class Running:
    """A server in a process of its own."""

    url: str
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, *arguments: str) -> Running:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        process = subprocess.Popen([sys.executable, "-m", "bench.views", *arguments, port],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return cls(f"http://127.0.0.1:{port}", process)

    def ready(self, path: str) -> bytes:
        """Wait for the first answer, and return it."""
        for _ in range(600):
            try:
                with urlopen(self.url + path, timeout=10) as answer:
                    return bytes(answer.read())
            except (URLError, ConnectionError):
                time.sleep(0.1)
        raise SystemExit(f"{self.url} does not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def rate(self, path: str, seconds: int) -> float:
        """Answers a second."""
        output = subprocess.run(
            ["wrk", f"-c{CONNECTIONS}", "-t1", f"-d{seconds}s", self.url + path],
            capture_output=True, text=True, check=True).stdout
        found = re.search(r"Requests/sec:\s*([\d.]+)", output)
        if found is None or "Non-2xx" in output:
            raise SystemExit(output)
        return float(found[1])


def serve(kind: str, folder: str, port: str) -> None:
    """The process of a server: ``wiki`` on the data in the folder, or ``plain`` with the bytes
    in the file ``body`` there."""
    server = {"wiki": Server, "plain": PlainServer}[kind]
    if kind == "plain":
        PlainServer.body = Path(folder, "body").read_bytes()
    settings = Settings(data=Path(folder, "data"))
    server(settings, listen("127.0.0.1", int(port)), lambda: None).run()


def against_plain(folder: Path, seconds: int) -> None:
    with ExitStack() as stack:
        wiki = Running.start("wiki", str(folder))
        stack.callback(wiki.stop)
        (folder / "body").write_bytes(wiki.ready(PAGE))
        plain = Running.start("plain", str(folder))
        stack.callback(plain.stop)
        plain.ready("/")
        for path, server in ((PAGE, wiki), ("/", plain)):
            server.rate(path, 1)
        rates = [(wiki.rate(PAGE, seconds), plain.rate("/", seconds)) for _ in range(ROUNDS)]
    size = (folder / "body").stat().st_size
    views, plains = (median(column) for column in zip(*rates, strict=True))
    ratios = sorted(view / other for view, other in rates)
    print(f"a kept view of {size:,} bytes: {views:,.0f} /s; a plain Flask view of them "
          f"{plains:,.0f} /s; ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def milliseconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def against_markdown(site: Site) -> None:
    """In turns; each text is another one, so that no cache has it."""
    alone = markdown.Markdown(extensions=EXTENSIONS)
    for label, text in texts():
        ours, theirs = [], []
        for turn in range(11):
            fresh = f"{text}\n\nNumber {turn}.\n"
            document = Document(Reference(("Bench",), "Text"), content=fresh)
            ours.append(milliseconds(
                lambda page=document: site.local_renderer.render(page, RenderRequest())))
            theirs.append(milliseconds(
                lambda source=fresh: alone.reset().convert(source)))
        print(f"first rendering of {label}, {len(text):,} characters: {median(ours):.1f} ms; "
              f"Python-Markdown alone {median(theirs):.1f} ms; "
              f"ratio {median(ours) / median(theirs):.2f}")


def texts() -> list[tuple[str, str]]:
    """Texts without macros: what is measured is Markdown."""
    paragraph = ("A paragraph with *emphasis*, **strong words**, `code`, a [link](Help.WebHome) "
                 "and some more words that say nothing. ")
    section = (f"## A heading\n\n{paragraph * 3}\n\n- one\n- two with `code`\n- three\n\n"
               f"| a | b |\n|---|---|\n| 1 | 2 |\n\n{paragraph * 2}\n\n")
    return [("a short page", section * 2), ("a long page", section * 30)]


def make_pages(site: Site) -> None:
    wiki = site.wiki
    for number in range(50):
        wiki.new(f"Bench.Part{number}", content=f"## Part {number}\n\nSome *text* of a part.\n\n"
                 "- one\n- two\n").save()
    for name, content in (
            ("Macros", "\n\n".join(f'<<info>>Note {n} with [[Bench.Part1]]<</info>>'
                                   for n in range(200))),
            ("Including", "\n\n".join(f'<<include page="Bench.Part{n}"/>>' for n in range(50))),
            ("Live", "<<tasks/>>"), ("Other", "Nothing.")):
        wiki.new(f"Bench.{name}", content=content).save()


def in_this_process(site: Site) -> None:
    make_pages(site)
    client = create_app(site=site).test_client()

    def view(name: str) -> float:
        return milliseconds(lambda: client.get(f"/Bench.{name}", buffered=True))

    def view_after_save(name: str) -> float:
        other = site.wiki.get("Bench.Other")
        other.content += "."
        other.save()
        return view(name)

    print("view of a page, ms:            first   after a save   nothing changed")
    for label, name in (("with 200 macros", "Macros"), ("that includes 50", "Including"),
                        ("with a live macro", "Live"), ("with nothing", "Part0")):
        first = view(name)
        after = median(view_after_save(name) for _ in range(11))
        kept = median(view(name) for _ in range(51))
        print(f"  {label:<28} {first:>6.1f} {after:>14.1f} {kept:>17.2f}")


def main() -> None:
    if len(sys.argv) == 4:
        serve(*sys.argv[1:])
        return
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        with Site(Settings(data=folder / "data")) as site:
            site.install()
            against_markdown(site)
            in_this_process(site)
        against_plain(folder, seconds)


if __name__ == "__main__":
    main()
