"""The ids in a page's HTML: parts that come from other pages keep theirs apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from urllib.parse import quote, unquote

_ID = re.compile(r'\sid="([^"]+)"')
_TAG = re.compile(r"""<[a-zA-Z](?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(r"""(\s([a-zA-Z-]+)=)(?:"([^"]*)"|'[^']*')""")
#: Attributes that name elements of the page.
_NAMING = frozenset({"id", "for", "popovertarget", "aria-labelledby", "aria-controls",
                     "aria-describedby"})


class Anchors:
    """The ids that are taken in one rendering."""

    def __init__(self) -> None:
        #: When each was taken, as a number that grows.
        self._taken: dict[str, int] = {}
        #: The last number that was put to a name.
        self._numbers: dict[str, int] = {}
        self._texts: list[Iterable[object]] = []

    def copy(self) -> Anchors:
        """One that goes on from here for itself."""
        other = Anchors()
        other._taken, other._numbers = dict(self._taken), dict(self._numbers)
        other._texts = list(self._texts)
        return other

    def saw(self, segments: Iterable[object]) -> None:
        """A text is rendered from these segments; its HTML is looked at when that is needed."""
        self._texts.append(segments)

    def claim(self, wanted: str) -> str:
        """An id that nothing else has: the wanted one, with a number where it is taken."""
        self._look()
        name = self._free(wanted, ())
        self._take(name)
        return name

    def apart(self, render: Callable[[], str]) -> str:
        """The HTML that ``render`` gives, in which ids that were taken before get a number, and
        the links within it follow."""
        self._look()
        before = len(self._taken)
        html = render()
        self._texts.clear()
        own = dict.fromkeys(_ID.findall(html))
        names: dict[str, str] = {}
        for name in own:
            if self._taken.get(name, before) < before:
                names[name] = self._free(name, own)
                self._take(names[name])
            else:
                self._take(name)
        return _renamed(html, names) if names else html

    def _look(self) -> None:
        for segments in self._texts:
            for segment in segments:
                if isinstance(segment, str):
                    for name in _ID.findall(segment):
                        self._take(name)
        self._texts.clear()

    def _take(self, name: str) -> None:
        self._taken.setdefault(name, len(self._taken))

    def _free(self, wanted: str, others: Container[str]) -> str:
        name = wanted
        while name in self._taken or name in others:
            number = self._numbers[wanted] = self._numbers.get(wanted, 1) + 1
            name = f"{wanted}-{number}"
        return name


def _renamed(html: str, names: Mapping[str, str]) -> str:
    def attribute(match: re.Match[str]) -> str:
        start, key, value = match.groups()
        if value is None:
            return match[0]
        if key == "href" and value.startswith("#") and unquote(value[1:]) in names:
            return f'{start}"#{quote(names[unquote(value[1:])], safe=":")}"'
        if key in _NAMING:
            return start + '"' + " ".join(names.get(word, word) for word in value.split(" ")) + '"'
        return match[0]

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(attribute, tag[0]), html)
