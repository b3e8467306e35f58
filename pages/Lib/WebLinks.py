"""Ask web addresses whether they are there: those of a host one after the other, several hosts at
once, and none that the host's robots.txt keeps for itself."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import urllib3

from wiki.addresses import PrivateAddress, open_pool

AGENT = "Wikimill-LinkCheck"
MAX_HOSTS, MAX_REDIRECTS, MAX_ROBOTS = 8, 5, 500_000
#: Answers to HEAD after which GET is tried: many servers do not know it.
NOT_FOR_HEAD = (400, 403, 404, 405, 500, 501)
TROUBLE = (urllib3.exceptions.HTTPError, OSError, ValueError, PrivateAddress)


def check(urls, timeout, allow_private):
    """Every URL and what is wrong with it, empty where it is there, as the answers come."""
    hosts = defaultdict(list)
    for url in urls:
        hosts[origin(url)].append(url)
    stop = threading.Event()
    with ThreadPoolExecutor(MAX_HOSTS) as pool:
        jobs = [pool.submit(Host(base, timeout, allow_private, stop).check, found)
                for base, found in hosts.items()]
        try:
            for job in as_completed(jobs):
                yield from job.result()
        finally:  # also where the run is cancelled: what is under way ends with its next answer
            stop.set()
            pool.shutdown(cancel_futures=True)


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Host:
    """One host, which is asked one thing at a time."""

    def __init__(self, base, timeout, allow_private, stop):
        self._base = base
        self._timeout = urllib3.Timeout(connect=timeout, read=timeout)
        self._allow_private = allow_private
        self._stop = stop

    def check(self, urls):
        """The URLs, each with what is wrong."""
        try:
            robots = self._robots()
        except TROUBLE as error:
            return [(url, trouble(error)) for url in urls]
        found = []
        for url in urls:
            if self._stop.is_set():
                break
            allowed = robots.can_fetch(AGENT, url)
            found.append((url, self._look(url) if allowed else "not checked: robots.txt says no"))
        return found

    def _robots(self):
        robots = RobotFileParser()
        status, _, data = self._ask("GET", self._base + "/robots.txt", MAX_ROBOTS)
        if status in (401, 403):
            robots.disallow_all = True
        else:
            robots.parse(data.decode(errors="replace").splitlines() if status == 200 else [])
        return robots

    def _look(self, url):
        try:
            for _ in range(MAX_REDIRECTS):
                status, location, _ = self._ask("HEAD", url)
                if status in NOT_FOR_HEAD:
                    status, location, _ = self._ask("GET", url)
                if status not in (301, 302, 303, 307, 308) or not location:
                    return verdict(status)
                url = urljoin(url, location)
                if urlsplit(url).scheme not in ("http", "https"):
                    return f"leads to {url[:200]}"
        except TROUBLE as error:
            return trouble(error)
        return f"leads on more than {MAX_REDIRECTS} times"

    def _ask(self, method, url, size=0):
        """Status, where it leads on to, and the first bytes. Every address is looked at anew, so
        that no redirect leads into the local network."""
        headers = {"Host": urlsplit(url).netloc.rpartition("@")[2], "User-Agent": AGENT}
        with open_pool(url, self._timeout, self._allow_private) as pool:
            answer = pool.urlopen(method, urllib3.util.parse_url(url).request_uri,
                                  headers=headers, redirect=False, retries=False,
                                  preload_content=False)
            try:
                data = answer.read(size) if size else b""
                return answer.status, answer.headers.get("Location"), data
            finally:
                answer.close()


def verdict(status):
    if status == 429:
        return "not checked: it asks for fewer questions"
    return f"answers {status}" if status >= 400 else ""


def trouble(error):
    if isinstance(error, PrivateAddress):
        return f"not checked: {error}"
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
