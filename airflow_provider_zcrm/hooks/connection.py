"""From an Airflow connection of type ``zoho_crm`` to a `ClientConfig`, or to a sentence that names the field that is wrong.

The same values come from the form (numbers, None for an empty field), from JSON, and from an ``AIRFLOW_CONN_`` URI (all strings).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import InvalidConnection
from airflow_provider_zcrm.api.oauth import Credentials, grant_of
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.connection_form import FIELDS

_SCHEMAS = {field.name: field.schema for field in FIELDS}
_DEFAULTS = {name: schema["default"] for name, schema in _SCHEMAS.items() if "default" in schema}


def config_of(
    login: str | None,
    password: str | None,
    extra: Mapping[str, Any],
    allowed_hosts: str = "",
    *,
    request_timeout: float = 30.0,
    shared_store: str = "variable",
) -> ClientConfig:
    """Return the client's settings.

    :param login: client id.
    :param password: client secret.
    :param extra: the rest, by the names of `airflow_provider_zcrm.connection_form.FIELDS`. Outer blanks of all texts do not count.
    :param allowed_hosts: ``[zoho_crm] allowed_hosts`` of the Airflow configuration, separated by commas.
    :param request_timeout: for a connection that has none, in seconds.
    :param shared_store: for a connection that has none.
    :raises InvalidConnection: naming the field
    """
    if not isinstance(extra, Mapping):
        raise InvalidConnection("The extra of the connection is no JSON object.", advice="Save the connection again.")
    login, password = _stripped(login), _stripped(password)
    given = {name: value for name, found in extra.items() if (value := _stripped(found)) not in (None, "")}
    _check_names(given)
    values = {**_DEFAULTS, "request_timeout": request_timeout, "shared_store": shared_store, **given}
    if not login:
        raise InvalidConnection("The connection has no login: it is the client id of Zoho's API console.")
    if not password:
        raise InvalidConnection("The connection has no password: it is the client secret of Zoho's API console.")
    grant = grant_of(str(values["grant_type"]), _text(values, "refresh_token"), _text(values, "zsoid"), _text(values, "scope"))
    hosts = hosts_of(
        str(values["data_center"]).lower(),
        str(values["environment"]).lower(),
        _text(values, "accounts_url"),
        _text(values, "api_url"),
        [host.strip().lower() for host in allowed_hosts.split(",") if host.strip()],
    )
    return ClientConfig(
        credentials=Credentials(login, password, grant),
        hosts=hosts,
        api_version=_version(str(values["api_version"])),
        request_timeout=_number(values, "request_timeout"),
        max_concurrency=int(_number(values, "max_concurrency")),
        verify=_verify(values.get("verify", True)),
        shared_store=_shared_store(str(values["shared_store"])),
    )


def _check_names(values: Mapping[str, Any]) -> None:
    """Refuse a field that does not exist: a misspelt environment must not mean production."""
    names = [field.name for field in FIELDS]
    for name in values:
        if name not in names:
            similar = get_close_matches(name, names, n=1)
            raise InvalidConnection(
                f"The connection has the unknown field {name!r} in extra.",
                advice=f"Did you mean {similar[0]}?" if similar else f"The fields are {', '.join(names)}.",
            )


def _stripped(value: Any) -> Any:
    """Return a text without outer blanks: one that was read from a file often ends with a line break."""
    return value.strip() if isinstance(value, str) else value


def _text(values: Mapping[str, Any], name: str) -> str | None:
    """Return a field as text; a number stands for its digits."""
    value = values.get(name)
    if isinstance(value, (Mapping, list)):
        raise InvalidConnection(f"{name} in the extra of the connection is no text.")
    return None if value is None else str(value)


def _version(value: str) -> str:
    if not re.fullmatch(r"v[0-9]+(\.[0-9]+)?", value):
        raise InvalidConnection(f"api_version is {value!r}; it must be a version of Zoho's REST API such as v8.")
    return value


def _shared_store(value: str) -> str:
    if value not in ("variable", "file", "memory"):
        raise InvalidConnection(
            f"shared_store is {value!r}; it must be variable, file or memory.",
            advice="Where the connection has none, the one in [zoho_crm] of the Airflow configuration counts.",
        )
    return value


def _number(values: Mapping[str, Any], name: str) -> float:
    """Return a number within the bounds of the form."""
    schema = _SCHEMAS[name]
    smallest, largest, whole = schema["minimum"], schema.get("maximum"), "integer" in schema["type"]
    try:
        # float reads the digits of other scripts too
        number = float(str(values[name]).encode("ascii"))
    except (TypeError, ValueError):
        number = float("nan")
    if not smallest <= number <= (largest or sys.float_info.max) or (whole and not number.is_integer()):
        bounds = f"from {smallest} to {largest}" if largest else f"of at least {smallest}"
        raise InvalidConnection(f"{name} is {values[name]!r}; it must be a {'whole ' if whole else ''}number {bounds}.")
    return number


def _verify(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower(), str(value))
