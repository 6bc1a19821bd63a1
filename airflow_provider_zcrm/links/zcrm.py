"""The buttons on a task in Airflow's UI: the module in Zoho's web client, and the guide to the task.

Airflow 3 calls ``get_link`` in the worker at the end of every try and stores what it returns under `xcom_key`; Airflow 2 calls it in
the webserver whenever the button is shown. So the address is stored under that very key while the task runs, where the connection is
at hand, and ``get_link`` only reads it: no network, no connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context

    from airflow_provider_zcrm.client.config import ClientConfig

# the `Documentation` of [project.urls] in pyproject.toml
GUIDES = "https://airflow-provider-zcrm.readthedocs.io/en/stable"


class ZohoCrmModuleLink(BaseOperatorLink):
    """The list of the task's module in Zoho's web client."""

    name = "Open in Zoho CRM"
    xcom_key = "_link_ZohoCrmModuleLink"

    @classmethod
    def store(cls, context: Context, config: ClientConfig, module: str | None) -> None:
        """Store the address for a task; nothing where it is not known, so that no button leads astray."""
        from airflow_provider_zcrm.api.oauth import ClientCredentialsGrant
        from airflow_provider_zcrm.api.web_links import module_url

        grant = config.credentials.grant
        url = module_url(config.hosts, module, grant.zsoid if isinstance(grant, ClientCredentialsGrant) else None)
        if url:
            context["ti"].xcom_push(key=cls.xcom_key, value=url)

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        """Return the stored address, or nothing."""
        return XCom.get_value(key=self.xcom_key, ti_key=ti_key) or ""


@attrs.define
class ZohoCrmGuideLink(BaseOperatorLink):
    """A page of this provider's documentation.

    :param page: the page's file in ``docs/``, without its ending.
    """

    page: str
    name = "Guide"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        """Return the page's address."""
        return f"{GUIDES}/{self.page}/"
