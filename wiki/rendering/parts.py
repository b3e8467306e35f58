"""Parts of a page that the browser asks for again, each for itself: live macros and slow ones.

What the browser asks with is a token: the macro's call, signed by the server, and bound to its
reader. So nobody can have a macro run that did not stand in a text, nor with the rights of
somebody who did not write it, and the server keeps nothing for the pages that are open. Of a body
that is too long for a token, it says where that stands: in which version of its page, from which
character on, and its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from itsdangerous import BadData, Serializer, URLSafeSerializer
from itsdangerous.encoding import base64_encode
from markupsafe import Markup

from wiki.api import Wiki
from wiki.errors import DamagedPage, NotFound, RevisionNotFound
from wiki.model import Document
from wiki.translate import gettext

#: A token that would be longer says where its macro's body stands. One that would be longer all the
#: same makes no part: its macro stands in the page as it is.
MAX_TOKEN = 4096
#: A call that is shorter, in bytes, is not compressed.
_SHORT = 600
_WAIT = "wait"
_LOADING = Markup('<span class="loading">{0}</span><noscript> <a href="{1}">{2}</a></noscript>')


@dataclass(frozen=True, slots=True)
class Call:
    """A macro's call as it stood in a page: all that it takes to make it once more.

    ``document`` is the page that was viewed, ``source`` the one that the text is from, ``author``
    whose rights the text has, ``scripted`` tells that a script put it out, ``including`` are the
    pages whose texts it stands in, one in the other. ``passage`` is where a long body stands, which
    is not in ``body`` then.
    """

    user: str
    document: str
    source: str
    author: str
    path: str
    args: Mapping[str, str]
    name: str
    params: Mapping[str, str | None]
    body: str | None = None
    line: int = 0
    column: int = 0
    body_line: int = 1
    body_column: int = 1
    body_margin: int = 0
    inline: bool = False
    paragraph: bool = False
    scripted: bool = False
    including: list[str] = field(default_factory=list)
    passage: Passage | None = None


class Passage(NamedTuple):
    """A part of the content of a version of a page: its first character, how many they are, and the
    digest of the text, which says that it is the one that was meant."""

    version: str
    start: int
    length: int
    digest: str


def shortened(call: Call, source: Document, wiki: Wiki) -> Call | None:
    """The call with the place of its body in ``source``, the page that it stands in; None where it
    does not stand there, as what a script put out does not, or where that is not saved."""
    start = source.content.find(call.body) if call.body else -1
    if call.body is None or start < 0:
        return None
    short = replace(call, body=None, passage=Passage(
        str(source.version), start, len(call.body), _digest(call.body)))
    try:
        whole(short, wiki)
    except (NotFound, DamagedPage):
        return None
    return short


def whole(call: Call, wiki: Wiki) -> Call:
    """The call with its body, where it says but the place of that, as ``wiki`` may read it.

    Raises RevisionNotFound where the text is not there (any more), DocumentNotFound, AccessDenied
    or DamagedPage.
    """
    if call.passage is None:
        return call
    version, start, length, digest = call.passage
    body = wiki.revision(call.source, version).content[start:start + length]
    if _digest(body) != digest:
        raise RevisionNotFound(f"{call.source} does not have this text in its version {version}")
    return replace(call, body=body)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


#: A token of another release, whose calls have other fields, is none of ours.
_SALT = f"wikimill part of a page: {' '.join(Call.__slots__)}"


class _Serializer(URLSafeSerializer):
    """Compresses what is long only: that takes longer than all the rest of a token."""

    def dump_payload(self, obj: Any, *args: Any, **kwargs: Any) -> bytes:
        payload = Serializer.dump_payload(self, obj, *args, **kwargs)
        if len(payload) < _SHORT:
            return base64_encode(payload)
        return super().dump_payload(obj, *args, **kwargs)


class Signer:
    """Makes tokens of calls, and calls of tokens."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._serializer = _Serializer(key, salt=_SALT, signer_kwargs={
            "digest_method": hashlib.sha256, "key_derivation": "hmac"},
            serializer_kwargs={"ensure_ascii": True})

    def token(self, call: Call) -> str:
        """The same for the same call, always."""
        values = [getattr(call, name) for name in Call.__slots__]
        return str(self._serializer.dumps(values))

    def call(self, token: str) -> Call | None:
        """The call that the token was made of; None where it was not made here."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            values = self._serializer.loads(token)
        except BadData:
            return None
        call = Call(*values)
        return replace(call, passage=Passage(*call.passage)) if call.passage else call


class Part:
    """One part while it is made.

    ``live`` tells that it is asked for again and again; ``every`` is how often, in seconds.
    """

    def __init__(self, token: str, call: Call, every: float, later: str) -> None:
        self.token = token
        self.call = call
        self.live = every > 0
        self.every = every
        #: Set where what it shows is not there yet.
        self.busy = False
        self._later = later

    @property
    def stands_alone(self) -> bool:
        """Whether the browser has to ask for it."""
        return self.live or self.busy

    def placeholder(self) -> Markup:
        """What stands in the part's place until it is there."""
        self.busy = True
        return _LOADING.format(gettext("%(name)s is loading…", name=self.call.name), self._later,
                               gettext("Wait for it"))

    def wrap(self, html: Markup, tag: str, paragraph: bool) -> Markup:
        """The element that the browser knows the part by."""
        element = Markup("span" if paragraph else "div")
        busy = Markup(' aria-busy="true"') if self.busy else ""
        return Markup('<{0} class="live" data-part="{1}" data-every="{2:g}" data-tag="{3}"{4}>'
                      "{5}</{0}>").format(element, self.token, self.every,
                                          "" if self.busy else tag, busy, html)


def tag_of(html: str, *form_tokens: str) -> str:
    """Another one for each content. Form tokens do not count: another one does not make it
    another content."""
    for token in filter(None, form_tokens):
        html = html.replace(token, "")
    return hashlib.blake2b(html.encode(errors="surrogatepass"), digest_size=9).hexdigest()


def waiting_address(path: str, args: Mapping[str, str]) -> str:
    """The address of a page that takes the time that its macros take."""
    return f"{path}?{urlencode({**args, _WAIT: '1'})}"


def waits(args: Mapping[str, str]) -> bool:
    """Whether an address is such a one."""
    return args.get(_WAIT) == "1"
