"""A data directory from its first start on."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiki.api import Wiki
from wiki.settings import Settings
from wiki.site import Site, install_pages


@pytest.fixture
def source(tmp_path: Path) -> Path:
    pages = tmp_path / "pages" / "Main"
    pages.mkdir(parents=True)
    (pages / "WebHome.md").write_text("---\ntitle: Home\n---\nHello\n")
    return tmp_path / "pages"


def install(wiki: Wiki, source: Path, tmp_path: Path) -> list[str]:
    return [str(page) for page in install_pages(wiki, source, tmp_path / "shipped.json")]


def test_shipped_pages_are_installed_once(site: Site, source: Path, tmp_path: Path) -> None:
    site.wiki.get("Main.WebHome").delete() if "Main.WebHome" in site.wiki else None
    assert install(site.wiki, source, tmp_path) == ["Main.WebHome"]
    assert install(site.wiki, source, tmp_path) == []


def test_an_upgrade_reaches_only_pages_that_nobody_touched(
        site: Site, source: Path, tmp_path: Path) -> None:
    site.wiki.get("Main.WebHome").delete() if "Main.WebHome" in site.wiki else None
    file = source / "Main" / "WebHome.md"
    install(site.wiki, source, tmp_path)
    file.write_text("---\ntitle: Home\n---\nHello again\n")
    assert install(site.wiki, source, tmp_path) == ["Main.WebHome"]
    page = site.wiki.as_user("Users.Bob").get("Main.WebHome")
    page.content = "Mine"
    page.save()
    file.write_text("---\ntitle: Home\n---\nThird\n")
    assert install(site.wiki, source, tmp_path) == []
    assert site.wiki.get("Main.WebHome").content == "Mine"


def test_a_deleted_shipped_page_stays_deleted(
        site: Site, source: Path, tmp_path: Path) -> None:
    site.wiki.get("Main.WebHome").delete() if "Main.WebHome" in site.wiki else None
    install(site.wiki, source, tmp_path)
    site.wiki.delete("Main.WebHome")
    assert install(site.wiki, source, tmp_path) == []
    assert "Main.WebHome" not in site.wiki


def test_the_first_start_makes_admin_and_says_a_random_password_once(tmp_path: Path) -> None:
    with Site(Settings(data=tmp_path)) as site:
        password = site.install().password
        assert password
        assert site.accounts.verify("Admin", password) == "Users.Admin"
        assert site.install().password is None
