"""What Airflow knows about this provider. Read at the start of every Airflow process, so it imports no Airflow."""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.connection_form import FIELDS, UI_FIELD_BEHAVIOUR

_INTEGRATION = "Zoho CRM"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, in the form of Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-zcrm",
        "name": _INTEGRATION,
        "description": "Mass deletes of tags and records in `Zoho CRM <https://www.zoho.com/crm/>`__, watched to their end.",
        "integrations": [
            {"integration-name": _INTEGRATION, "external-doc-url": "https://www.zoho.com/crm/developer/docs/api/v8/", "tags": ["service"]}
        ],
        "hooks": [_modules("airflow_provider_zcrm.hooks.zcrm")],
        "operators": [_modules("airflow_provider_zcrm.operators.find_tags"), _modules("airflow_provider_zcrm.operators.mass_delete")],
        "sensors": [_modules("airflow_provider_zcrm.sensors.mass_delete")],
        "triggers": [_modules("airflow_provider_zcrm.triggers.mass_delete")],
        "extra-links": ["airflow_provider_zcrm.links.zcrm.ZohoCrmModuleLink", "airflow_provider_zcrm.links.zcrm.ZohoCrmGuideLink"],
        "connection-types": [
            {
                "connection-type": "zoho_crm",
                "hook-class-name": "airflow_provider_zcrm.hooks.zcrm.ZohoCrmHook",
                "hook-name": "Zoho CRM",
                "ui-field-behaviour": UI_FIELD_BEHAVIOUR,
                "conn-fields": {field.name: field.conn_field() for field in FIELDS},
            }
        ],
        "config": {
            "zoho_crm": {
                "description": "Settings of the Zoho CRM provider.",
                "options": {
                    "allowed_hosts": {
                        "description": "Hosts, separated by commas, to which a connection's accounts_url and api_url may point "
                        "besides Zoho's own hosts and this machine, as host or host:port.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "zoho-proxy.internal.example",
                        "default": "",
                    },
                    "token_directory": {
                        "description": "Directory, of this user and closed to others, for the locks of token requests and for the token "
                        "store 'file'. Empty: airflow-provider-zcrm-<uid> in the directory for temporary files.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "/var/lib/airflow/zoho-crm",
                        "default": "",
                    },
                },
            }
        },
    }


def _modules(name: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": [name]}
