"""A writer is killed at random moments: nothing that it was told is saved may be lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wiki.errors import DocumentNotFound
from wiki.model import Document, Object, Version
from wiki.references import Reference
from wiki.store import Store, open_store
from wiki.store.base import Condition, Query

CLASS = "Code.C"
RUNS, KILLS_A_RUN = 6, 10
#: What a step does to pages: name -> the number of its version afterwards, None for deleted.
Effects = dict[str, int | None]


def document(name: str, number: int) -> Document:
    return Document(
        Reference.parse(name), title=f"{name} {number}", version=Version(number, 1),
        content=f"word{number} " * (number * 37 % 400), updated=datetime.now(UTC),
        objects=(Object(CLASS, 0, {"number": number, "title": name}),))


def save(store: Store, name: str, number: int) -> None:
    store.save(document(name, number), Version(number - 1, 1) if number > 1 else None)


class Writer:
    """Runs in the process that is killed: announces each step, does it, acknowledges it."""

    def __init__(self, data: Path, pipe: int, seed: int, pages: dict[str, int]) -> None:
        self.store = open_store(data)
        self.pipe = pipe
        self.random = random.Random(seed)
        self.pages = pages
        self.made = 0
        self.seed = seed

    def run(self) -> None:
        while True:
            steps = (self.new, self.new, self.change, self.change, self.batch, self.rename,
                     self.delete)
            self.random.choice(steps)()

    def tell(self, what: str, effects: Effects) -> None:
        os.write(self.pipe, json.dumps([what, effects]).encode() + b"\n")

    def fresh(self) -> str:
        self.made += 1
        return f"S{self.seed % 3}.Sub.P{self.seed}x{self.made}"

    def new(self) -> None:
        name = self.fresh()
        self.tell("begin", {name: 1})
        save(self.store, name, 1)
        self.finish({name: 1})

    def change(self) -> None:
        if not self.pages:
            return
        name = self.random.choice(sorted(self.pages))
        number = self.pages[name] + 1
        self.tell("begin", {name: number})
        save(self.store, name, number)
        self.finish({name: number})

    def batch(self) -> None:
        effects: Effects = {self.fresh(): 1 for _ in range(self.random.randint(1, 60))}
        for name in self.random.sample(sorted(self.pages), min(len(self.pages), 10)):
            effects[name] = self.pages[name] + 1
        self.tell("begin", effects)
        with self.store.batch():
            for name, number in effects.items():
                assert number is not None
                save(self.store, name, number)
        self.finish(effects)

    def rename(self) -> None:
        if not self.pages:
            return
        old, new = self.random.choice(sorted(self.pages)), self.fresh()
        number = self.pages[old] + 1
        self.tell("begin", {new: number, old: None})
        self.store.rename(Reference.parse(old), document(new, number), Version(number - 1, 1))
        self.finish({new: number, old: None})

    def delete(self) -> None:
        if not self.pages:
            return
        name = self.random.choice(sorted(self.pages))
        self.tell("begin", {name: None})
        self.store.delete(Reference.parse(name))
        self.finish({name: None})

    def finish(self, effects: Effects) -> None:
        self.tell("done", effects)
        apply(self.pages, effects)


def apply(pages: dict[str, int], effects: Effects) -> None:
    for name, number in effects.items():
        if number is None:
            pages.pop(name, None)
        else:
            pages[name] = number


@dataclass
class Knowledge:
    """What the killer was told."""

    pages: dict[str, int] = field(default_factory=dict)
    begun: Effects = field(default_factory=dict)
    steps: int = 0

    def hear(self, line: bytes) -> None:
        what, effects = json.loads(line)
        if what == "begin":
            self.begun = effects
        else:
            self.begun = {}
            self.steps += 1
            apply(self.pages, effects)


def write(data: Path, pipe: int, seed: int, pages: dict[str, int]) -> None:
    Writer(data, pipe, seed, pages).run()


def run_and_kill(data: Path, seed: int, known: Knowledge) -> None:
    """Let a writer take a random number of steps, and kill it a random while later."""
    chance = random.Random(seed)
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(
        target=write, args=(data, writing, seed, dict(known.pages)))
    process.start()
    os.close(writing)
    wanted = known.steps + chance.randint(1, 12)
    with os.fdopen(reading, "rb") as pipe:
        for line in pipe:
            known.hear(line)
            if known.steps >= wanted:
                break
        end = time.monotonic() + chance.random() * 0.02
        while time.monotonic() < end:
            pass
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        for line in pipe:
            if line.endswith(b"\n"):
                known.hear(line)
    process.join(20)
    assert process.exitcode == -signal.SIGKILL, "the writer ended by itself"
    process.close()


def settle(store: Store, known: Knowledge) -> None:
    """Whatever was begun and not acknowledged is done or not: take note of which."""
    moved = any(number is None for number in known.begun.values()) and len(known.begun) == 2
    outcomes = set()
    for name, number in known.begun.items():
        current = version(store, name)
        assert current in (number, known.pages.get(name)), f"{name} is at {current}"
        outcomes.add(current == number)
        apply(known.pages, {name: current})
    assert not moved or len(outcomes) == 1, "a rename was half done"
    known.begun = {}


def version(store: Store, name: str) -> int | None:
    try:
        return store.get(Reference.parse(name)).version.major
    except DocumentNotFound:
        return None


def require_all(store: Store, known: Knowledge) -> None:
    for name, number in known.pages.items():
        expected = document(name, number)
        kept = store.get(expected.reference)
        assert (kept.title, kept.content, kept.version) == (
            expected.title, expected.content, expected.version)
        assert [item.version.major for item in store.revisions(kept.reference)] == list(
            range(number, 0, -1))
    assert list(store.check()) == []
    assert {str(row.reference) for row in store.query(Query(CLASS))} == set(known.pages)
    for number in set(known.pages.values()):
        found = store.query(Query(CLASS, (Condition("number", "eq", number),)))
        assert {str(row.reference) for row in found} == {
            name for name, version in known.pages.items() if version == number}


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"


@pytest.mark.parametrize("run", range(RUNS))
def test_a_killed_writer_loses_nothing_that_it_acknowledged(data: Path, run: int) -> None:
    known = Knowledge()
    for kill in range(KILLS_A_RUN):
        run_and_kill(data, run * 1000 + kill, known)
        store = open_store(data)
        settle(store, known)
        require_all(store, known)
        store.close()
    assert known.steps >= KILLS_A_RUN


def test_a_writer_that_is_killed_leaves_its_lock_to_those_that_have_the_wiki_open(
        data: Path) -> None:
    known = Knowledge()
    store = open_store(data)
    for kill in range(10):
        run_and_kill(data, 90_000 + kill, known)
        save(store, f"Mine.P{kill}", 1)  # finishes what the killed one began
        known.pages[f"Mine.P{kill}"] = 1
        settle(store, known)
    require_all(store, known)
    store.close()


def test_an_index_that_was_half_built_is_built_anew(data: Path) -> None:
    known = Knowledge()
    run_and_kill(data, 7, known)
    for moment in range(5):
        process = multiprocessing.get_context("fork").Process(target=reindex, args=(data,))
        process.start()
        end = time.monotonic() + 0.004 * moment
        while time.monotonic() < end:
            pass
        process.kill()
        process.join(20)
        process.close()
    store = open_store(data)
    settle(store, known)
    require_all(store, known)
    store.close()


def reindex(data: Path) -> None:
    store: Any = open_store(data)
    while True:
        store.reindex()
