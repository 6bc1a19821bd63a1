"""Links of the documentation, as far as they can be looked at without a network: mkdocs checks those within, links.yml asks the hosts."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.test_code_blocks import PAGES, PAGES_WITH_TESTS_OF_THEIR_OWN, ROOT, name

TEXTS = [*PAGES, *(ROOT / "docs" / page for page in PAGES_WITH_TESTS_OF_THEIR_OWN), ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
# a name that is not here is a typing error, or a host to think about
HOSTS = {
    "airflow.apache.org",
    "github.com",
    "semver.org",
    # Zoho's documents, and the addresses that the pages show as examples
    "help.zoho.com",
    "www.zoho.com",
    "accounts.zoho.com",
    "accounts.zoho.eu",
    "api-console.zoho.com",
    "crm.zoho.eu",
    "sandbox.zohoapis.eu",
}


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_other_hosts_are_known_and_spoken_to_by_https(page: Path) -> None:
    found = [urlsplit(url.rstrip(".")) for url in re.findall(r"https?://[^\s)>\]`\"'|,<]+", page.read_text(encoding="utf-8"))]
    others = [url for url in found if url.hostname != "127.0.0.1"]

    assert [url.geturl() for url in others if url.scheme != "https" or url.hostname not in HOSTS] == []


@pytest.mark.parametrize("page", [page for page in TEXTS if page.parent == ROOT], ids=name)
def test_links_of_pages_that_mkdocs_does_not_see_lead_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_a_page_names_only_tests_and_files_that_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:tests|docs|benchmarks|example_dags|airflow_provider_zcrm|constraints)/[\w./-]+)`", page.read_text(encoding="utf-8")
    )

    assert [path for path in named if not (ROOT / path).exists()] == []
