"""API tokens, and what ends with a password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Browser
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from wiki.cli import main
from wiki.errors import AuthenticationFailed, InvalidValue, TokenNotFound
from wiki.settings import Settings
from wiki.site import Site
from wiki.tokens import READ, WRITE, Tokens

API = "/api/v1"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> Tokens:
    return Tokens(tmp_path / "tokens", {"Jo": "1", "Al": "1"}.get, clock)


def put(client: FlaskClient, secret: str) -> TestResponse:
    return client.put(f"{API}/pages/A.B", json={"content": "by token"},
                      headers={"Authorization": f"Bearer {secret}"})


def made_on(page: TestResponse) -> str:
    found = re.search(r'id="made"[^>]* value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def test_a_token_is_known_until_it_expires(tokens: Tokens, clock: Clock) -> None:
    secret = tokens.add("Jo", "backup", READ, days=1)
    assert tokens.verify(secret).user == "Jo"
    clock.now += 86400
    with pytest.raises(AuthenticationFailed):
        tokens.verify(secret)
    assert tokens.of("Jo") == []


def test_the_last_use_is_noted(tokens: Tokens, clock: Clock) -> None:
    secret = tokens.add("Jo", "backup")
    assert tokens.of("Jo")[0].used is None
    clock.now += 3600
    tokens.verify(secret)
    assert tokens.of("Jo")[0].used == clock.now


def test_only_its_user_revokes_a_token(tokens: Tokens) -> None:
    secret = tokens.add("Jo", "backup", WRITE)
    [token] = tokens.of("Jo")
    with pytest.raises(TokenNotFound):
        tokens.revoke("Al", token.key)
    assert tokens.verify(secret).writes
    tokens.revoke("Jo", token.key)
    with pytest.raises(AuthenticationFailed):
        tokens.verify(secret)


def test_the_secret_is_not_on_the_disk(tokens: Tokens, tmp_path: Path) -> None:
    secret = tokens.add("Jo", "backup")
    [file] = (tmp_path / "tokens").iterdir()
    assert secret not in file.read_text() + file.name
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "scope", "days"), [
    ("", READ, None), ("x" * 101, READ, None), ("a\nb", READ, None), ("a", "admin", None),
    ("a", READ, 0), ("a", READ, 100_000)])
def test_what_a_token_cannot_be_is_refused(
        tokens: Tokens, name: str, scope: str, days: int | None) -> None:
    with pytest.raises(InvalidValue):
        tokens.add("Jo", name, scope, days)


def test_a_token_changes_pages_as_its_user(user: Browser, client: FlaskClient) -> None:
    secret = made_on(user.post("/tokens", name="script", scope="write", days="30"))
    made = put(client, secret)
    assert made.status_code == 201
    assert made.json is not None and made.json["author"] == "Users.Jo"
    assert secret not in user.get("/tokens").text


def test_a_reading_token_reads_and_changes_nothing(user: Browser, client: FlaskClient) -> None:
    secret = made_on(user.post("/tokens", name="script", scope="read", days=""))
    refused = put(client, secret)
    assert refused.status_code == 403
    assert refused.json is not None and "only read" in refused.json["detail"]
    assert client.get(f"{API}/pages/Main.WebHome",
                      headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_a_revoked_token_is_refused(user: Browser, client: FlaskClient) -> None:
    secret = made_on(user.post("/tokens", name="script", scope="write", days="30"))
    [revoke] = re.findall(r'action="(/tokens/[^"]+/revoke)"', user.get("/tokens").text)
    assert user.post(revoke).status_code == 302
    assert put(client, secret).status_code == 401


def test_a_wrong_form_says_what_is_allowed(user: Browser) -> None:
    refused = user.post("/tokens", name="script", scope="all", days="30")
    assert refused.status_code == 400
    assert "read or write" in refused.text


def test_guests_have_no_tokens(guest: Browser) -> None:
    assert guest.get("/tokens").status_code == 302
    assert guest.post("/tokens", name="a", scope="read", days="").status_code == 403


def test_sessions_and_tokens_end_with_the_password(
        user: Browser, client: FlaskClient, site: Site) -> None:
    secret = site.tokens.add("Jo", "script", WRITE)
    view = "/Main.WebHome"
    assert all("Log out" in user.get(view).text for _ in range(3))  # kept by now
    site.accounts.set_password("Jo", "another one")
    assert "Log out" not in user.get(view).text
    assert user.get("/Main.WebHome/edit").status_code == 302
    assert put(client, secret).status_code == 401
    user.log_in("Jo", "another one")
    assert "Log out" in user.get(view).text


def test_tokens_from_the_command_line(site: Site, settings: Settings) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["--data", str(settings.data), "user", "token", *words])
        assert result.exit_code == 0, result.output
        return result.output.strip()

    secret = run("add", "Admin", "cron", "--scope", "write")
    assert site.tokens.verify(secret).name == "cron"
    key = run("list", "Admin").split()[0]
    run("revoke", "Admin", key)
    assert run("list", "Admin") == ""


def test_the_openapi_document_is_valid(client: FlaskClient) -> None:
    described = client.get(f"{API}/openapi.json").json
    assert described is not None
    validate(described)
    assert set(described["components"]["securitySchemes"]) == {"basic", "token"}
