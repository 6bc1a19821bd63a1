"""The org that a backup is of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from airflow_provider_zcrm.api.errors import InvalidArgument, PermanentError
from airflow_provider_zcrm.api.org import get_org

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)


def org_id(client: ZohoCrmClient) -> str:
    """Return the ``zgid`` of the client's org, empty if the token may not read it."""
    try:
        return client.send(get_org()).zgid
    except PermanentError:
        return ""


class OfAnOrg(Protocol):
    """What stands in a file about the org that it is of."""

    @property
    def zgid(self) -> str: ...  # noqa: D102
    @property
    def environment(self) -> str: ...  # noqa: D102


def check_org(path: str, header: OfAnOrg, client: ZohoCrmClient, conn_id: str, *, other_org: bool, advice: str) -> bool:
    """Return whether a backup is of the client's org, as far as that is known; refuse one of another org, unless that is wanted.

    :param advice: what the user can do then.
    :raises InvalidArgument: it is of another one
    """
    environment = client.config.hosts.environment
    zgid = org_id(client) if header.zgid else ""
    same = header.environment == environment and (not header.zgid or not zgid or header.zgid == zgid)
    if same and not (header.zgid and zgid):
        log.warning("Whether the backup is of this org is not known: that needs the scope ZohoCRM.org.READ, then and now.")
    if not same and not other_org:
        raise InvalidArgument(
            f"{path} is a backup of the org {header.zgid or '(unknown)'} ({header.environment}), and the connection "
            f"{conn_id} points to {zgid or 'an org'} ({environment}).",
            advice=advice,
        )
    return same
