"""The connection form: one table makes the metadata of Airflow 3.2+ and the methods that older versions call.

Airflow's run-time schema lets any nonsense pass as a field of the form, so the rules that it keeps for its own providers
(``provider.yaml.schema.json``) are written down here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

from airflow_provider_zcrm.connection_form import FIELDS, Field
from airflow_provider_zcrm.get_provider_info import get_provider_info
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook

STANDARD_FIELDS = ["description", "host", "port", "login", "password", "schema", "extra"]
WORDS = {"type": "object", "additionalProperties": {"type": "string"}}
FORM_RULES = {
    "type": "object",
    "required": ["connection-type", "hook-class-name", "hook-name", "ui-field-behaviour", "conn-fields"],
    "properties": {
        "connection-type": {"type": "string", "not": {"pattern": "__"}},
        "ui-field-behaviour": {
            "type": "object",
            "properties": {
                "hidden-fields": {"type": "array", "items": {"enum": STANDARD_FIELDS}},
                "relabeling": {**WORDS, "propertyNames": {"enum": STANDARD_FIELDS}},
                "placeholders": {**WORDS, "propertyNames": {"enum": STANDARD_FIELDS}},
            },
            "additionalProperties": False,
        },
        "conn-fields": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["label", "description", "schema"],
                "properties": {
                    "label": {"type": "string", "minLength": 1},
                    "description": {"type": "string", "minLength": 1},
                    "schema": {
                        "type": "object",
                        "required": ["type"],
                        "properties": {
                            "type": {
                                "oneOf": [
                                    {"enum": ["string", "integer", "boolean", "number", "object", "array"]},
                                    {"type": "array", "items": {"type": "string"}},
                                ]
                            },
                            "format": {"enum": ["password", "multiline", "email", "url", "json", "date", "date-time", "time"]},
                            "enum": {"type": "array", "minItems": 2},
                            "values_display": WORDS,
                            "minimum": {"type": "number"},
                            "maximum": {"type": "number"},
                            "default": True,
                        },
                        "additionalProperties": False,
                    },
                },
                "additionalProperties": False,
            },
        },
    },
}


def connection_type() -> dict[str, Any]:
    found: dict[str, Any] = get_provider_info()["connection-types"][0]
    return found


def test_the_form_keeps_the_rules_that_airflow_has_for_its_own_providers() -> None:
    jsonschema.validate(connection_type(), FORM_RULES)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"format": "secret"}, {}),
        ({"type": ["string", "null"], "widget": "password"}, {}),
        ({}, {"hint": "what it means"}),
        ({}, {"label": None}),
    ],
)
def test_nonsense_in_a_field_is_noticed(wrong: dict[str, Any], field: dict[str, Any]) -> None:
    known = connection_type()
    known["conn-fields"]["scope"] |= field
    known["conn-fields"]["scope"]["schema"] |= wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(known, FORM_RULES)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_field_is_a_json_schema_that_takes_its_own_default_and_an_empty_field(field: Field) -> None:
    schema = field.conn_field()["schema"]
    jsonschema.Draft7Validator.check_schema(schema)
    if "default" in schema:
        jsonschema.validate(schema["default"], schema)
    elif "enum" not in schema:
        jsonschema.validate(None, schema)


def test_each_choice_has_a_readable_label() -> None:
    choices = {field.name: field.choices for field in FIELDS if "enum" in field.schema}
    assert list(choices) == ["data_center", "environment", "grant_type", "shared_store"]
    for field in FIELDS:
        assert list(field.choices) == field.schema.get("enum", [])
    assert choices["data_center"]["ca"] == "Canada (zohocloud.ca)"


def test_secrets_are_password_fields() -> None:
    assert [field.name for field in FIELDS if field.secret] == ["refresh_token"]


def test_the_methods_for_older_airflow_show_the_same_standard_fields() -> None:
    behaviour = ZohoCrmHook.get_ui_field_behaviour()
    schema = json.loads((Path(airflow.__path__[0]) / "customized_form_field_behaviours.schema.json").read_text())
    jsonschema.validate(behaviour, schema)
    assert behaviour == {name.replace("-", "_"): value for name, value in connection_type()["ui-field-behaviour"].items()}


def shown_fields() -> dict[str, dict[str, Any]] | None:
    """Return the form's further fields as the UI of the installed Airflow gets them: label, secret or not, choices; None for no form."""
    try:
        from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
    except ImportError:  # Airflow 2
        from airflow.providers_manager import ProvidersManager

        widgets = ProvidersManager().connection_form_widgets
        ours = {name.split("__")[2]: widget for name, widget in widgets.items() if name.startswith("extra__zoho_crm__")}
        return {name: _of_wtforms(widget.field) for name, widget in ours.items()}
    shown = next(hook for hook in HookMetaService.hook_meta_data() if hook.connection_type == "zoho_crm")
    assert shown.hook_name == "Zoho CRM"
    if shown.standard_fields is None:
        return None
    assert shown.standard_fields.login is not None
    assert shown.standard_fields.login.title == "Client ID"
    schemas = {name: dict(field)["schema"] for name, field in (shown.extra_fields or {}).items()}
    return {
        name: {"label": schema["title"], "secret": schema.get("format") == "password", "choices": list(schema.get("enum") or ())}
        for name, schema in schemas.items()
    }


def _of_wtforms(field: Any) -> dict[str, Any]:
    choices = [value for validator in field.kwargs.get("validators", ()) for value in getattr(validator, "values", ())]
    return {"label": field.args[0], "secret": "Password" in field.field_class.__name__, "choices": choices}


def test_airflow_shows_every_field() -> None:
    shown = shown_fields()
    if airflow.__version__.startswith("3.0.") and find_spec("flask_appbuilder") is None:
        assert shown is None  # it shows the fields of no provider then
    else:
        assert shown == {field.name: {"label": field.label, "secret": field.secret, "choices": list(field.choices)} for field in FIELDS}


def test_loading_the_hook_warns_of_nothing() -> None:
    code = "import warnings; warnings.simplefilter('always'); from airflow.providers_manager import ProvidersManager; "
    code += "hook = ProvidersManager().hooks['zoho_crm']; print(hook.hook_name, hook.connection_testable)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "Zoho CRM True"
    assert not [line for line in done.stderr.splitlines() if "Warning" in line and ("zcrm" in line or "ZohoCrm" in line)]
