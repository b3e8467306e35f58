"""Accounts: who can log in, and how guessing is slowed down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from wiki.accounts import (
    FAILURE_SECONDS,
    MAX_FAILURES,
    MAX_FAILURES_OF_ADDRESS,
    Accounts,
    hash_of_nothing,
)
from wiki.errors import (
    AuthenticationFailed,
    InvalidReference,
    InvalidValue,
    StoreError,
    UserExists,
    UserNotFound,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    return Accounts(tmp_path / "accounts", clock)


def test_a_user_logs_in_with_the_password(accounts: Accounts) -> None:
    assert accounts.add("Admin", "secret") == "Users.Admin"
    assert accounts.verify("Admin", "secret") == "Users.Admin"
    assert accounts.verify("Admin", "secret") == "Users.Admin"


@pytest.mark.parametrize(("name", "password"), [
    ("Admin", "Secret"), ("Admin", ""), ("admin", "secret"), ("Nobody", "secret"), ("", ""),
    ("../Admin", "secret"), ("Admin", "x" * 5000), ("\ud800", "\ud800"), ("Admin", "\ud800")])
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
        accounts: Accounts, name: str, password: str) -> None:
    accounts.add("Admin", "secret")
    with pytest.raises(AuthenticationFailed) as caught:
        accounts.verify(name, password)
    assert str(caught.value) == "The name or the password is wrong."


def test_an_unknown_name_costs_what_a_known_one_does() -> None:
    hasher = PasswordHasher(memory_cost=64)
    nothing = hash_of_nothing(hasher)
    assert extract_parameters(nothing) == extract_parameters(hasher.hash("secret"))
    with pytest.raises(VerifyMismatchError):  # it is computed, not refused for its form
        hasher.verify(nothing, "secret")


def test_a_new_password_replaces_the_old_at_once(accounts: Accounts) -> None:
    accounts.add("Admin", "secret")
    accounts.verify("Admin", "secret")
    accounts.set_password("Admin", "other")
    assert accounts.verify("Admin", "other") == "Users.Admin"
    with pytest.raises(AuthenticationFailed):
        accounts.verify("Admin", "secret")


def test_accounts_last_and_are_listed(accounts: Accounts, tmp_path: Path) -> None:
    for name in ("Zoë", "Dr. No", "Admin"):
        accounts.add(name, "secret")
    again = Accounts(tmp_path / "accounts")
    assert again.names() == ["Admin", "Dr. No", "Zoë"]
    assert again.verify("Dr. No", "secret") == "Users.Dr\\. No"
    assert again.exists("Admin")
    assert not again.exists("admin")


def test_a_name_is_taken_once_even_at_the_same_time(accounts: Accounts) -> None:
    def add(number: int) -> bool:
        try:
            accounts.add("Admin", str(number) * 8)
        except UserExists:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(add, range(4))).count(True) == 1
    assert accounts.names() == ["Admin"]


def test_what_cannot_be_is_refused(accounts: Accounts) -> None:
    with pytest.raises(UserNotFound):
        accounts.set_password("Nobody", "secret")
    with pytest.raises(InvalidReference):
        accounts.add("a/b", "secret")
    for password in ("", "x" * 1001):
        with pytest.raises(InvalidValue, match="1 to 1000 characters") as caught:
            accounts.add("Admin", password)
        assert "xx" not in str(caught.value)
    assert accounts.names() == []


def test_files_are_for_the_owner_only_and_hold_no_password(
        accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("Admin", "secret")
    [file] = (tmp_path / "accounts").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "secret" not in file.read_text()


def test_a_damaged_file_is_named(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("Admin", "secret")
    [file] = (tmp_path / "accounts").iterdir()
    file.write_text("{")
    with pytest.raises(StoreError, match=file.name):
        accounts.verify("Admin", "secret")


def fail(accounts: Accounts, name: str, address: str) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        accounts.verify(name, "x" * 5000 if name != "Admin" else "wrong", address)
    return str(caught.value)


def test_too_many_failures_for_a_name_are_stopped_until_some_time_has_passed(
        accounts: Accounts, clock: Clock) -> None:
    accounts.add("Admin", "secret")
    for _ in range(MAX_FAILURES):
        assert "wrong" in fail(accounts, "Admin", "10.0.0.1")
    with pytest.raises(AuthenticationFailed, match=r"try again in 1[56] minutes"):
        accounts.verify("Admin", "secret", "10.0.0.1")
    assert accounts.verify("Admin", "secret", "10.0.0.2") == "Users.Admin"
    clock.now += FAILURE_SECONDS + 1
    assert accounts.verify("Admin", "secret", "10.0.0.1") == "Users.Admin"


def test_an_address_that_tries_many_names_is_stopped(
        accounts: Accounts, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts.add("Admin", "secret")
    # Hashing is what takes the time, and is not what is tested.
    monkeypatch.setattr(accounts, "_matches", lambda stored, password: False)
    for number in range(MAX_FAILURES_OF_ADDRESS):
        fail(accounts, f"user{number}", "10.0.0.1")
    assert "too many" in fail(accounts, "Admin", "10.0.0.1")


def test_a_success_forgets_the_failures(accounts: Accounts) -> None:
    accounts.add("Admin", "secret")
    for _ in range(MAX_FAILURES - 1):
        fail(accounts, "Admin", "")
    accounts.verify("Admin", "secret")
    assert "wrong" in fail(accounts, "Admin", "")
