"""Parts of a page that the browser asks for again, each for itself: live macros and slow ones.

What the browser asks with is a token: the macro's call, signed by the server, and bound to its
reader. So nobody can have a macro run that did not stand in a text, nor with the rights of
somebody who did not write it, and the server keeps nothing for the pages that are open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from itsdangerous import BadData, Serializer, URLSafeSerializer
from itsdangerous.encoding import base64_encode
from markupsafe import Markup

from wiki.translate import gettext

#: A token that would be longer makes no part: its macro stands in the page as it is.
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
    pages whose texts it stands in, one in the other.
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
            return Call(*self._serializer.loads(token))
        except BadData:
            return None


class Part:
    """One part while it is made.

    ``live`` tells that it is asked for again and again; ``every`` is how often, in seconds.
    """

    def __init__(self, token: str, every: float, name: str, later: str) -> None:
        self.token = token
        self.live = every > 0
        self.every = every
        #: Set where what it shows is not there yet.
        self.busy = False
        self._name, self._later = name, later

    @property
    def stands_alone(self) -> bool:
        """Whether the browser has to ask for it."""
        return self.live or self.busy

    def placeholder(self) -> Markup:
        """What stands in the part's place until it is there."""
        self.busy = True
        return _LOADING.format(gettext("%(name)s is loading…", name=self._name), self._later,
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
