"""Logs through HTTP: parts of them in each form, and following them past the server's threads."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from conftest import Browser, Server
from flask.testing import FlaskClient

from wiki.errors import AccessDenied
from wiki.site import Site
from wiki.tasks.log import MANAGER_LOG, LogPart, Logs
from wiki.web.rest.follow import HandedOver, Hub, Watch
from wiki.web.rest.stream import LogStream, log_event

LOG = "Tasks.ImportCountries.log"
URL = f"/api/v1/logs/{LOG}"


@pytest.fixture
def data(site: Site) -> bytes:
    """A log of a hundred messages, each with fields."""
    for number in range(100):
        site.logs.append(LOG, "INFO", f"line {number} <b>", fields={"row": number})
    with site.logs.open_binary(LOG) as stream:
        return stream.read()


def rows(client: FlaskClient, query: str) -> list[dict[str, object]]:
    answer = client.get(f"{URL}?format=json&{query}")
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_messages_are_given_as_json_with_their_fields(client: FlaskClient, data: bytes) -> None:
    first, second = rows(client, "lines=4")
    assert (first["message"], first["level"], first["fields"]) == (
        "line 98 <b>", "INFO", {"row": 98})
    assert data[int(str(second["offset"])):].startswith(str(second["time"])[:10].encode(), 1)


def test_parts_before_after_and_round_a_place_are_given(
        client: FlaskClient, data: bytes) -> None:
    place = data.rindex(b"\n", 0, data.index(b"line 50")) + 1
    for query, first, last in (("before", 49, 49), ("offset", 50, 50), ("at", 49, 50)):
        lines = 4 if query == "at" else 2
        found = rows(client, f"{query}={place}&lines={lines}")
        assert [found[0]["fields"], found[-1]["fields"]] == [{"row": first}, {"row": last}]


def test_lines_come_as_html_with_what_is_searched_for_marked(
        client: FlaskClient, data: bytes) -> None:
    answer = client.get(f"{URL}?format=html&lines=2&mark=LINE+9")
    assert "<mark>line 9</mark>9 &lt;b&gt;" in answer.text
    assert answer.headers["X-Log-End"] == str(len(data))
    hits = client.get(f"{URL}?format=html&q=line+50&limit=1")
    assert re.findall(r'id="L\d+"', hits.text) == [f'id="L{data.index(b"line 50") - 33}"']
    assert client.get(f"{URL}?format=xml").status_code == 400


def test_hits_are_found_both_ways_with_a_place_to_go_on(
        client: FlaskClient, data: bytes) -> None:
    last = client.get(f"{URL}?q=LINE+9&limit=1&back=true&format=json")
    assert json.loads(last.text)["message"] == "line 99 <b>"
    place = last.headers["X-Log-Next"]
    assert rows(client, f"q=line+9&limit=1&back=true&offset={place}")[0]["message"] == (
        "line 98 <b>")
    assert "X-Log-Next" not in client.get(f"{URL}?q=nothing").headers


def test_the_whole_log_is_downloaded(client: FlaskClient, data: bytes) -> None:
    answer = client.get(f"{URL}/download", buffered=True)
    assert answer.data == data
    assert LOG in answer.headers["Content-Disposition"]
    assert client.get("/api/v1/logs/No.log/download").status_code == 404


def test_a_compressed_log_is_downloaded_and_not_viewed(
        admin: Browser, site: Site, data: bytes) -> None:
    admin.post("/logs/archive", log=LOG, compress="true")
    (name,) = [name for name in site.logs.names() if name.endswith(".gz")]
    packed = admin.get(f"/api/v1/logs/{name}/download")
    assert (packed.mimetype, packed.data[:2]) == ("application/gzip", b"\x1f\x8b")
    assert "compressed" in admin.get(f"/api/v1/logs/{name}").json["detail"]
    assert name in admin.get("/TaskExecutorCode.ArchiveLog").text
    assert "Download" in admin.get(f"/TaskExecutorCode.ShowLog?log={name}").text


def test_the_viewer_works_without_scripts(guest: Browser, data: bytes) -> None:
    viewer = f"/TaskExecutorCode.ShowLog?log={LOG}"
    assert "line 99 &lt;b&gt;" in guest.get(viewer).text
    found = guest.get(f"{viewer}&q=line+7&find=next&filter=1&warn=1").text
    assert 'class="line level-info log-here"' in found
    assert "<mark>line 7</mark> &lt;b&gt;" in found
    assert "57 lines hidden" in found
    assert 'data-hide="debug info out err error fields"' in found
    assert "Nothing found" in guest.get(f"{viewer}&q=xyz&find=previous").text


def test_the_viewer_pages_back(guest: Browser, site: Site) -> None:
    for number in range(500):
        site.logs.append(LOG, "INFO", f"line {number}.")
    text = guest.get(f"/TaskExecutorCode.ShowLog?log={LOG}").text
    assert "line 300." in text and "line 299." not in text
    older = re.search(r'href="([^"]+)">Older', text)
    assert older
    text = guest.get(older[1].replace("&amp;", "&")).text
    assert "line 299." in text and "line 100." in text and "line 300." not in text
    assert ">Newer</a>" in text and 'data-follow="false"' in text


def test_a_log_that_one_may_not_read_does_not_exist(
        client: FlaskClient, site: Site, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(self: Logs, wiki: object, name: str) -> None:
        raise AccessDenied

    monkeypatch.setattr(Logs, "page", page)
    missing = client.get("/api/v1/logs/No.log")
    for rest in ("", "/download", "/stream"):
        answer = client.get(URL + rest)
        assert answer.status_code == 404
        assert answer.json["title"] == missing.json["title"]
    assert "No such log" in client.get(f"/TaskExecutorCode.ShowLog?log={LOG}").text


# -- following ---------------------------------------------------------------------------------


class Forever:
    """A server that does not close."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float) -> bool:
        return False


def stream_of(data: bytes, **more: object) -> LogStream:
    def read(offset: int) -> LogPart:
        start = max(0, offset)
        return LogPart(data[start:start + 65536], start, len(data))

    return LogStream(0, read, lambda: None, Forever(), **more)  # type: ignore[arg-type]


def test_who_is_far_behind_is_taken_to_the_end_at_a_whole_line() -> None:
    data = b"".join(b"%09d\n" % number for number in range(100_000))
    stream = stream_of(data, most_behind=500_000)
    skip = stream.step()
    assert skip is not None and skip.startswith(b"event: skip\n") and b"data: 0\n" in skip
    lines = stream.step()
    assert lines is not None
    first = int(lines.split(b"data: ", 2)[1].split(b"\n")[0])
    assert stream.offset == len(data) and first * 10 > len(data) - 70_000


def test_a_stream_ends_for_who_may_read_no_more() -> None:
    now, may = 0.0, True
    stream = stream_of(b"", clock=lambda: now, allowed=lambda: may)
    now, may = 20.0, False
    assert b"event: end" in (stream.step() or b"")
    assert stream.finished


def take(hub: Hub, data: bytes, **more: object) -> socket.socket:
    """The caller's end of a connection on which the hub sends this log."""
    mine, theirs = socket.socketpair()
    mine.settimeout(20)
    stream = stream_of(data, **more)
    watch = Watch(lambda: len(data), stream.read, lambda: None, log_event)
    with theirs, pytest.raises(HandedOver):
        for begin in hub.hand_over({"gunicorn.socket": theirs}, stream, watch):
            assert begin.startswith(b"retry")
    return mine


def test_who_comes_just_as_the_last_one_leaves_is_served() -> None:
    closing = threading.Event()
    hub = Hub(closing)
    for number in range(5):
        with take(hub, b"line %d\n" % number) as connection:
            read_until(connection, b"line %d\n" % number)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""  # the hub has let it go, and is still in its turn
    with take(hub, b"last\n", heartbeat=0.0) as connection:
        read_until(connection, b"last\n")
        for _ in range(64):  # for some turns
            read_until(connection, b"waiting")
        closing.set()
        while connection.recv(65536):
            pass
    for thread in threading.enumerate():
        if thread.name == "log followers":
            thread.join(20)


def follow(server: Server, query: str = "", version: str = "1.1",
           log: str = MANAGER_LOG) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(f"GET /api/v1/logs/{log}/stream?lines=0{query} HTTP/{version}\r\n"
                       "Host: x\r\n\r\n".encode())
    assert read_until(connection, b"retry: 2000\n\n").startswith(f"HTTP/{version} 200".encode())
    return connection


def read_until(connection: socket.socket, word: bytes) -> bytes:
    data = b""
    while word not in data:
        data += (more := connection.recv(65536))
        assert more, f"the stream ended before {word!r}: {data!r}"
    return data


@pytest.fixture
def logs(server: Server) -> Iterator[Logs]:
    yield Logs(server.data / "logs")


def test_more_may_follow_a_log_than_the_server_has_threads(server: Server, logs: Logs) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(follow(server)) for _ in range(80)]  # of 32 threads
        with urlopen(f"{server.url}/Main.WebHome", timeout=20) as page:
            assert page.status == 200
        logs.append(MANAGER_LOG, "INFO", "news for all")
        for connection in many:
            assert b"news for all" in read_until(connection, b"news for all")


def test_streams_are_framed_as_their_protocol_wants(server: Server, logs: Logs) -> None:
    with follow(server, "&format=html") as chunked, follow(server, version="1.0") as plain:
        logs.append(MANAGER_LOG, "INFO", "<news>")
        data = read_until(chunked, b"&lt;news&gt;")
        size = re.search(rb"(?:^|\r\n)([0-9a-f]+)\r\nid: ", data)
        assert size and int(size[1], 16) > 100
        data = read_until(plain, b"<news>\n")
        assert re.search(rb"id: \d+\n(data: .*\n)*data: \[.*<news>\n", data)
        assert b"\r\n" not in data


def test_who_waits_for_a_tasks_first_run_sees_it_begin(server: Server, logs: Logs) -> None:
    log = "Tasks.HelloWorld.log"
    with follow(server, log=log) as connection:
        logs.append(log, "INFO", "it begins")
        assert b"it begins" in read_until(connection, b"it begins")


def test_the_server_ends_while_logs_are_followed(server: Server) -> None:
    with follow(server) as connection:
        assert server.process is not None
        server.process.terminate()
        assert server.process.wait(20) == 0
        while connection.recv(65536):
            pass
