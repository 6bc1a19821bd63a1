"""What Airflow knows about this provider. Read at the start of every Airflow process, so it imports no Airflow."""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.assets import SCHEME
from airflow_provider_zcrm.connection_form import FIELDS, UI_FIELD_BEHAVIOUR
from airflow_provider_zcrm.provider_config import OPTIONS, SECTION

_INTEGRATION = "Zoho CRM"
_ASSET_URIS = [
    {
        "schemes": [SCHEME],
        "handler": "airflow_provider_zcrm.assets.sanitize_uri",
        "to_openlineage_converter": "airflow_provider_zcrm.lineage.asset_to_dataset",
    }
]


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, in the form of Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-zcrm",
        "name": _INTEGRATION,
        "description": "Mass deletes of tags and records in `Zoho CRM <https://www.zoho.com/crm/>`__, watched to their end.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://www.zoho.com/crm/developer/docs/api/v8/",
                "logo": "/docs/integration-logos/zoho-crm.svg",
                "how-to-guide": [
                    "/docs/connection.md",
                    "/docs/cleanup.md",
                    "/docs/operators.md",
                    "/docs/selection.md",
                    "/docs/backup.md",
                    "/docs/records.md",
                    "/docs/sensors.md",
                ],
                "tags": ["service"],
            }
        ],
        "hooks": [_modules("airflow_provider_zcrm.hooks.zcrm")],
        "operators": [
            _modules(f"airflow_provider_zcrm.operators.{name}")
            for name in (
                "list_modules",
                "find_tags",
                "find_tags_of_module",
                "approve_tags",
                "approve_tags_of_modules",
                "approved_tags",
                "backup_tags",
                "mass_delete_tags",
                "restore_tags",
                "report_tag_cleanup",
                "report_org_cleanup",
                "mass_delete_records",
                "delete_records",
                "restore_records",
            )
        ],
        "sensors": [_modules("airflow_provider_zcrm.sensors.mass_delete_job")],
        "triggers": [_modules(f"airflow_provider_zcrm.triggers.{name}") for name in ("mass_delete_job", "record_restore")],
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
        # Airflow 3.2+
        "cli": ["airflow_provider_zcrm.cli.airflow_commands.zoho_crm_commands"],
        "asset-uris": _ASSET_URIS,
        # what Airflow 2 calls them
        "dataset-uris": _ASSET_URIS,
        "config": {
            SECTION: {
                "description": "Settings of the Zoho CRM provider. Those of calls and polls count where connection and task say nothing.",
                "options": {option.name: option.metadata() for option in OPTIONS},
            }
        },
    }


def _modules(name: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": [name]}
