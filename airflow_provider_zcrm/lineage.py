"""What tasks tell OpenLineage: which datasets they read and change. No call to Zoho, and no look at the connection.

A dataset's namespace and name are the two parts of its asset URI: ``zohocrm://<connection id>`` and ``Leads/tags``, or ``Leads`` for the
records. OpenLineage wants the namespace to name the data source, whoever reports it; Zoho's host does not, because all orgs of a data
centre share it, and the id of the org needs a scope of its own. So the connection's id stands for the org.

openlineage.io/docs/spec/naming; Airflow's apache-airflow-providers-openlineage, guides/developer.html: only that provider calls what
uses this file, so openlineage itself is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_zcrm.assets import SCHEME, org_uri

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.common.compat.sdk import Asset
    from airflow.providers.openlineage.extractors import OperatorLineage


def records_of(conn_id: str, module: str) -> Dataset:
    """Return the records of a module."""
    return _dataset(org_uri(conn_id), module)


def tags_of(conn_id: str, module: str) -> Dataset:
    """Return the tags of a module."""
    return _dataset(org_uri(conn_id), f"{module}/tags")


def file_at(path: str) -> Dataset:
    """Return a file of Airflow's object storage; the connection that may stand in its path is no part of its name."""
    parts = urlsplit(path)
    if parts.scheme in ("", "file"):
        return _dataset("file", parts.path)
    return _dataset(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path.lstrip("/"))


def asset_to_dataset(asset: Asset, lineage_context: Any) -> Dataset:  # noqa: ARG001 - OpenLineage's signature
    """Return the dataset of an asset of this provider; `get_provider_info` names this function to Airflow."""
    parts = urlsplit(asset.uri)
    return _dataset(f"{SCHEME}://{parts.netloc}", parts.path.lstrip("/"))


def lineage(
    *, reads: Sequence[Dataset] = (), changes: Sequence[Dataset] = (), dry_run: bool | str = False, job_ids: Sequence[str] = ()
) -> OperatorLineage[Any, Any]:
    """Return what a task has read and changed.

    :param dry_run: what the task changes otherwise it has only read.
    :param job_ids: of the jobs at Zoho; a run of OpenLineage can name one, so several are left out.
    """
    from airflow.providers.common.compat.openlineage.facet import ExternalQueryRunFacet
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.rules.arguments import truth_of

    if truth_of(dry_run, "dry_run"):
        return OperatorLineage(inputs=[*reads, *changes])
    facets = {}
    if len(job_ids) == 1:
        facets["externalQuery"] = ExternalQueryRunFacet(externalQueryId=job_ids[0], source=changes[0].namespace)
    return OperatorLineage(inputs=list(reads), outputs=list(changes), run_facets=facets)


def _dataset(namespace: str, name: str) -> Dataset:
    from airflow.providers.common.compat.openlineage.facet import Dataset

    return Dataset(namespace=namespace, name=name)
