"""The provider's metadata: an invalid dictionary would break every provider of an installation."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema

from airflow_provider_zcrm.connection_form import FIELDS
from airflow_provider_zcrm.get_provider_info import get_provider_info


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


def test_the_form_can_show_every_field() -> None:
    for field in FIELDS:
        schema = field.conn_field()["schema"]
        assert field.label
        assert field.description
        assert set(schema) <= {"type", "enum", "values_display", "default", "format", "minimum", "maximum"}
        assert set(schema.get("values_display", {})) == set(schema.get("enum", []))


def test_secrets_are_password_fields() -> None:
    formats = {field.name: field.conn_field()["schema"].get("format") for field in FIELDS}
    assert formats["refresh_token"] == "password"


def _imported_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_reading_the_metadata_imports_no_airflow() -> None:
    imported = _imported_by("import airflow_provider_zcrm.get_provider_info")
    assert not {name for name in imported if name.split(".")[0] in ("airflow", "requests", "aiohttp")}


def test_importing_operators_and_sensors_costs_no_http_library() -> None:
    statement = "import airflow.sdk, airflow.triggers.base; kept = set(sys.modules); before |= kept; "
    statement += "import airflow_provider_zcrm.operators.mass_delete, airflow_provider_zcrm.sensors.mass_delete"
    imported = _imported_by(statement)
    assert not {name for name in imported if name.split(".")[0] in ("requests", "aiohttp")}
    assert "airflow_provider_zcrm.hooks.zcrm" not in imported
    assert not {name for name in imported if name.startswith("airflow_provider_zcrm.emulator")}
