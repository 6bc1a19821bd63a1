"""The page on PyPI: what the metadata of a built wheel says, and whether its links point to something."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageMetadata, distributions

import pytest
from markdown_it import MarkdownIt

from tests.docs.test_code_blocks import ROOT

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
SOURCE = URLS["Source"]


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> PackageMetadata:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], cwd=ROOT, check=True)
    (wheel,) = folder.iterdir()
    (package,) = distributions(path=[str(wheel)])
    return package.metadata


def links(text: str) -> list[str]:
    """Return what a page of Markdown links to or shows, in HTML too."""
    html = MarkdownIt("commonmark").enable("table").render(text)
    return re.findall(r"""\b(?:href|src)\s*=\s*["']?([^"'\s>]+)""", html)


def test_every_link_and_picture_is_absolute(metadata: PackageMetadata) -> None:
    found = links(metadata["Description"])

    assert [link for link in found if not link.startswith("https://")] == []
    assert len(found) == len(links((ROOT / "README.md").read_text(encoding="utf-8"))) > 20


def test_links_into_the_repository_name_files_of_this_version(metadata: PackageMetadata) -> None:
    raw = SOURCE.replace("//github.com/", "//raw.githubusercontent.com/")
    pages, pictures = f"{SOURCE}/blob/v{metadata['Version']}/", f"{raw}/v{metadata['Version']}/"
    found = links(metadata["Description"])
    paths = [link.removeprefix(pages).removeprefix(pictures).partition("#")[0] for link in found]

    assert [path for path in paths if not path.startswith("https://") and not (ROOT / path).exists()] == []
    # GitHub's page about a picture is no picture
    assert [link for link in found if link.endswith((".png", ".svg")) and not link.startswith(pictures)] == []


def test_the_project_says_where_its_source_issues_changes_and_documentation_are(metadata: PackageMetadata) -> None:
    urls = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL") or [])

    assert urls == {
        "Documentation": URLS["Documentation"],
        "Source": SOURCE,
        "Issues": f"{SOURCE}/issues",
        "Changelog": f"{SOURCE}/blob/main/CHANGELOG.md",
    }


@pytest.mark.parametrize("file", ["pyproject.toml", "SECURITY.md"])
def test_the_repository_has_one_address(file: str) -> None:
    named = re.findall(
        r"https://(?:raw\.githubusercontent|github)\.com/([\w.-]+/[\w.-]+)|--repo (\S+)", (ROOT / file).read_text(encoding="utf-8")
    )

    assert {address or repo for address, repo in named} == {SOURCE.removeprefix("https://github.com/")}
