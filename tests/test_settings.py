"""Settings: flags, then the environment, then a file; each is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiki import settings
from wiki.errors import SettingError
from wiki.settings import Settings, load


def test_without_any_all_is_at_its_default() -> None:
    assert load({}, {}) == Settings()
    assert Settings().host == "127.0.0.1"


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wiki.toml"
    file.write_text('port = 1\nhost = "a"\nworkers = 2\n')
    read = load({"port": 3, "host": None}, {"WIKIMILL_PORT": "2", "WIKIMILL_HOST": "b"}, file)
    assert (read.port, read.host, read.workers) == (3, "b", 2)


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wiki.toml"
    file.write_text('upload_limit = "500 MB"\nsecure_cookies = true\n')
    read = load({}, {"WIKIMILL_CONFIG": str(file)})
    assert read.upload_limit == 500 * 1024**2
    assert read.secure_cookies is True


@pytest.mark.parametrize(("variable", "value", "said"), [
    ("WIKIMILL_PORT", "http", "a whole number from 0 to 65535"),
    ("WIKIMILL_PORT", "65536", "a whole number"), ("WIKIMILL_WORKERS", "0", "from 1 to 64"),
    ("WIKIMILL_UPLOAD_LIMIT", "many", "500MB"),
    ("WIKIMILL_SECURE_COOKIES", "maybe", "true or false"),
    ("WIKIMILL_DATA", " ", "folder"),
    ("WIKIMILL_CONFIG", "/nowhere/x.toml", "no settings file"),
])
def test_a_value_that_cannot_be_is_refused_by_name(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        load({}, {variable: value})


@pytest.mark.parametrize(("text", "said"), [
    ("prot = 1", "no setting 'prot'"), ("port = ", "TOML"), ("host = 5", "takes text"),
    ("workers = true", "whole number"), ("data = 5", "folder")])
def test_a_settings_file_is_checked(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "wiki.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=said):
        load({}, {}, file)


def test_a_secret_is_not_in_the_error(tmp_path: Path) -> None:
    file = tmp_path / "wiki.toml"
    file.write_text("secret_key = 12345")
    with pytest.raises(SettingError) as caught:
        load({}, {}, file)
    assert "12345" not in str(caught.value)


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(SettingError, match="no setting 'prot'"):
        load({"prot": 1}, {})


def test_every_setting_has_a_row_with_its_variable_and_help() -> None:
    assert [row.name for row in settings.SETTINGS] == list(Settings.__dataclass_fields__)
    assert all(row.help.endswith(".") for row in settings.SETTINGS)
    assert settings.SETTINGS[0].variable == "WIKIMILL_DATA"


def test_every_setting_is_documented() -> None:
    text = (Path(__file__).parent.parent / "docs" / "cli.md").read_text()
    for row in settings.SETTINGS:
        default = "" if row.default == "" else f"`{row.default}` "
        assert f"| `{row.name}` | `{row.variable}` | {default}| {row.help} |" in text


def test_what_ships_is_there() -> None:
    assert settings.shipped("pages").is_dir()
    assert settings.shipped("macros").is_dir()
    assert settings.shipped("static").is_dir()
