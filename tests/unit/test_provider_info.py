"""The provider's metadata: an invalid dictionary would break every provider of an installation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

import airflow
import jsonschema
import pytest
from airflow.providers.common.compat.sdk import Asset

import airflow_provider_zcrm
from airflow_provider_zcrm.assets import sanitize_uri, tags_uri
from airflow_provider_zcrm.get_provider_info import get_provider_info
from airflow_provider_zcrm.lineage import asset_to_dataset
from airflow_provider_zcrm.provider_config import OPTIONS


def test_the_metadata_is_valid_for_airflow() -> None:
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_airflow_finds_the_metadata() -> None:
    loaded = [point.load() for point in entry_points(group="apache_airflow_provider") if "zcrm" in point.value]
    assert loaded == [get_provider_info]


def test_every_module_that_the_metadata_names_can_be_imported() -> None:
    info = get_provider_info()
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in info[kind]:
            for name in entry["python-modules"]:
                import_module(name)
    module, _, name = info["connection-types"][0]["hook-class-name"].rpartition(".")
    assert getattr(import_module(module), name).conn_type == info["connection-types"][0]["connection-type"]


def test_the_logo_and_the_guides_exist() -> None:
    integration = get_provider_info()["integrations"][0]
    root = Path(__file__).parents[2]
    assert all((root / path.lstrip("/")).is_file() for path in [integration["logo"], *integration["how-to-guide"]])


def test_every_option_of_the_configuration_is_read_by_the_code() -> None:
    code = "".join(path.read_text() for path in Path(airflow_provider_zcrm.__path__[0]).rglob("*.py"))
    for option in OPTIONS:
        assert f'_setting("{option.name}")' in code
        assert option.type in ("string", "float")


def test_the_documentation_has_every_option_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    for option in OPTIONS:
        assert re.search(rf"^\| `{option.name}` \| `?{option.default}`? ?\|", page, re.MULTILINE)


@pytest.mark.parametrize("kind", ["asset-uris", "dataset-uris"])
def test_what_airflow_does_with_asset_uris_can_be_imported(kind: str) -> None:
    (uris,) = get_provider_info()[kind]
    assert uris["schemes"] == ["zohocrm"]
    assert uris["handler"] == f"{sanitize_uri.__module__}.{sanitize_uri.__name__}"
    assert uris["to_openlineage_converter"] == f"{asset_to_dataset.__module__}.{asset_to_dataset.__name__}"


def test_an_asset_keeps_the_case_of_connection_and_module() -> None:
    assert Asset(uri="zohocrm://Zoho_EU/CustomModule1/tags").uri == "zohocrm://Zoho_EU/CustomModule1/tags"
    assert Asset(uri="zohocrm://zoho/Leads/tags/").uri == "zohocrm://zoho/Leads/tags"


@pytest.mark.parametrize("conn_id", ["zoho_crm", "crm/zoho", "zoho#1", "a:b", "user:word@host", "[::1]", "a\\b", "(eu)!", "é ü?x%2F"])
def test_whatever_a_connection_is_called_its_uri_stays_whole(conn_id: str) -> None:
    uri = Asset(uri=tags_uri(conn_id, "Leads")).uri

    assert uri == tags_uri(conn_id, "Leads")
    assert unquote(urlsplit(uri).netloc) == conn_id
    assert urlsplit(uri).path == "/Leads/tags"


def test_a_uri_that_a_user_has_not_quoted_is_the_same_asset() -> None:
    assert Asset(uri="zohocrm://crm:dev/Leads/tags").uri == tags_uri("crm:dev", "Leads")


@pytest.mark.parametrize(
    "uri", ["zohocrm://zoho/Leads", "zohocrm:///Leads/tags", "zohocrm://zoho/Leads/tags/1", "zohocrm://zoho/Leads/tags?a=b"]
)
def test_a_uri_for_which_no_event_would_come_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="zohocrm://<connection id>/<module>/tags"):
        sanitize_uri(urlsplit(uri))


def _imported_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_reading_the_metadata_imports_no_airflow() -> None:
    imported = _imported_by("import airflow_provider_zcrm.get_provider_info")
    assert not {name for name in imported if name.split(".")[0] in ("airflow", "requests", "aiohttp")}


def test_a_dag_file_imports_the_operators_and_little_else() -> None:
    modules = [module for kind in ("operators", "sensors") for part in get_provider_info()[kind] for module in part["python-modules"]]
    # Airflow's own operator for questions costs more than all of ours; only a DAG that asks imports it
    modules.remove("airflow_provider_zcrm.operators.approve_tags")
    modules.remove("airflow_provider_zcrm.operators.approve_tags_of_modules")
    # what Airflow imports by itself is not ours to answer for; the metadata it reads at its start, or (2.11) a little later
    statement = "from airflow.providers.common.compat.sdk import DAG, BaseOperatorLink, BaseSensorOperator; "
    statement += "import airflow_provider_zcrm.get_provider_info; "
    statement += f"kept = set(sys.modules); before |= kept; import airflow_provider_zcrm.task_groups, {', '.join(modules)}"
    imported = _imported_by(statement)
    names = [
        "links",
        "links.zcrm",
        "operators",
        "operators.base",
        "rules",
        "rules.errors",
        "sensors",
        "task_groups",
        "templates",
        "version_compat",
    ]
    light = {"airflow_provider_zcrm." + name for name in names}
    assert {name for name in imported if name.startswith("airflow_provider_zcrm.")} == light | set(modules)
    assert not {name for name in imported if name.split(".")[0] in ("requests", "aiohttp")}
    assert "airflow.triggers.base" not in imported
