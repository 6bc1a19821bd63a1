"""What Airflow's own commands show of this provider."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from airflow_provider_zcrm import __version__
from airflow_provider_zcrm.get_provider_info import get_provider_info
from airflow_provider_zcrm.provider_config import OPTIONS

COMMANDS = {
    "config": ["config", "list", "--section", "zoho_crm", "--include-descriptions", "--include-examples"],
    "list": ["providers", "list", "-o", "json"],
    "get": ["providers", "get", "airflow-provider-zcrm", "--full", "-o", "json"],
    "hooks": ["providers", "hooks", "-o", "json"],
    "links": ["providers", "links", "-o", "json"],
    "triggers": ["providers", "triggers", "-o", "json"],
    "behaviours": ["providers", "behaviours", "-o", "json"],
}
# one process for all of them: Airflow's start takes longer than any of them
SCRIPT = """
import json, sys
from airflow.cli.cli_parser import get_parser
for name, command in json.loads(sys.argv[1]).items():
    print("===", name, flush=True)
    options = get_parser().parse_args(command)
    options.func(options)
    sys.stdout.flush()
"""


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(COMMANDS)], capture_output=True, text=True, check=True)
    parts = done.stdout.split("=== ")[1:]
    return dict(part.split("\n", 1) for part in parts)  # type: ignore[misc]


def rows(shown: dict[str, str], name: str) -> list[dict[str, Any]]:
    """Return the rows of a command that are about this provider."""
    found = json.loads(next(line for line in shown[name].splitlines() if line.startswith("[{")))
    return [row for row in found if "zcrm" in json.dumps(row)]


def test_the_configuration_is_listed_with_descriptions(shown: dict[str, str]) -> None:
    assert "[zoho_crm]" in shown["config"]
    for option in OPTIONS:
        assert f"\n{option.name} = {option.default}" in shown["config"].replace("# ", "") or f"\n# {option.name} = " in shown["config"]
        assert option.description in shown["config"]
        assert option.example in shown["config"]


def test_the_provider_is_listed_with_its_version(shown: dict[str, str]) -> None:
    (row,) = rows(shown, "list")
    assert (row["package_name"], row["version"]) == ("airflow-provider-zcrm", __version__)
    assert row["description"].startswith("Mass deletes of tags and records in Zoho CRM")


def test_airflow_has_the_metadata_as_it_is(shown: dict[str, str]) -> None:
    (row,) = rows(shown, "get")
    info = get_provider_info()
    # of the description Airflow takes the markup away; of the connection type it masks what is called like a secret
    for key in info.keys() - {"description", "connection-types"}:
        assert row[key] == info[key]


def test_the_hook_is_listed_with_its_readable_name(shown: dict[str, str]) -> None:
    (row,) = rows(shown, "hooks")
    assert (row["connection_type"], row["hook_name"], row["conn_id_attribute_name"]) == ("zoho_crm", "Zoho CRM", "zoho_crm_conn_id")


def test_every_extra_link_is_listed(shown: dict[str, str]) -> None:
    assert {row["extra_link_class_name"] for row in rows(shown, "links")} == set(get_provider_info()["extra-links"])


def test_the_triggers_are_listed(shown: dict[str, str]) -> None:
    modules = [module for entry in get_provider_info()["triggers"] for module in entry["python-modules"]]
    assert {row["class"] for row in rows(shown, "triggers")} == set(modules)
