"""`ZohoCrmHook`: from an Airflow connection to a client of Zoho CRM."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, BaseHook, mask_secret

from airflow_provider_zcrm.api.errors import CONN_ID, InvalidConnection, PermanentError, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.org import get_org
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES, RetryPolicy
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.connection_form import FIELDS, UI_FIELD_BEHAVIOUR, Field
from airflow_provider_zcrm.hooks.connection import config_of
from airflow_provider_zcrm.hooks.settings import number_setting, text_setting
from airflow_provider_zcrm.hooks.token_stores import token_sharing

# a test of a connection makes at most three calls and must answer within ten seconds
_TEST_SECONDS = 9.5
_TEST_CALL_SECONDS = 3.0


def configured(login: str | None, password: str | None, extra: Mapping[str, Any]) -> ClientConfig:
    """Return the client's settings, of a connection's fields and the configuration.

    :raises InvalidConnection: naming the field
    """
    return config_of(
        login,
        password,
        extra,
        text_setting("allowed_hosts"),
        request_timeout=number_setting("request_timeout"),
        shared_store=text_setting("shared_store"),
    )


class ZohoCrmHook(BaseHook):
    """Gives access to Zoho CRM through an Airflow connection.

    :param zoho_crm_conn_id: id of a connection of type ``zoho_crm``.
    :param retries: how long the client tries again after a passing fault; by default 5 minutes.
    """

    conn_name_attr = "zoho_crm_conn_id"
    default_conn_name = "zoho_crm_default"
    conn_type = "zoho_crm"
    hook_name = "Zoho CRM"

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how the form shows the standard fields. Only Airflow before 3.2 asks for it here."""
        return {name.replace("-", "_"): value for name, value in UI_FIELD_BEHAVIOUR.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's further fields. Only Airflow before 3.2 asks for them here; it takes no drop-downs with labels."""
        return {field.name: _widget(field) for field in FIELDS}

    def __init__(self, zoho_crm_conn_id: str = default_conn_name, retries: RetryPolicy | None = None) -> None:
        super().__init__()
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self._retries = retries

    @cached_property
    def config(self) -> ClientConfig:
        """The connection's settings.

        :raises InvalidConnection: the connection cannot work; the sentence names the field
        """
        connection = self.get_connection(self.zoho_crm_conn_id)
        try:
            _check_type(connection.conn_type, connection.login)
            return configured(connection.login, connection.password, _extra(connection))
        except PermanentError as error:
            raise type(error)(
                f"Connection {self.zoho_crm_conn_id}: {error.message}", advice=error.advice.replace(CONN_ID, self.zoho_crm_conn_id)
            ) from None

    @cached_property
    def _client(self) -> ZohoCrmClient:
        return ZohoCrmClient(self.config, self._retries, on_secret=mask_secret, sharing=token_sharing(self.config))

    def get_conn(self) -> ZohoCrmClient:
        """Return the client; it sends the calls of `airflow_provider_zcrm.api`, and belongs to this hook.

        :raises InvalidConnection: the connection cannot work; the sentence names the field
        """
        return self._client

    def test_connection(self) -> tuple[bool, str]:
        """Make a real call and say in one sentence what works or what to change, within ten seconds whatever the server does."""
        try:
            config = replace(self.config, request_timeout=min(self.config.request_timeout, _TEST_CALL_SECONDS))
        except (ZohoCrmError, AirflowException) as error:
            return False, str(error)
        answers: list[tuple[bool, str]] = []
        # a thread that may be left behind: a server that drips bytes outlasts every time-out of requests
        test = threading.Thread(target=lambda: answers.append(_test(config)), daemon=True)
        test.start()
        test.join(_TEST_SECONDS)
        silence = f"Zoho gave no answer within {_TEST_SECONDS:g} seconds. Check data_center and the network."
        works, sentence = answers[0] if answers else (False, silence)
        return works, sentence.replace(CONN_ID, self.zoho_crm_conn_id)


def _check_type(conn_type: str | None, login: str | None) -> None:
    """Refuse a connection of another type; one without any may come from a secrets backend that stores none.

    :raises InvalidConnection: names both types
    """
    if conn_type == ZohoCrmHook.conn_type or (not conn_type and login):
        return
    raise InvalidConnection(
        f"It is of type {conn_type!r}, and not zoho_crm." if conn_type else "It has no type, and no login.",
        advice="Choose the type Zoho CRM. As a URI it begins with zoho-crm://, because a URI's scheme may have no underscore.",
    )


def _extra(connection: Any) -> Any:
    """Return ``extra``, whatever JSON it is.

    :raises InvalidConnection: it nests so deeply that nobody can have meant it
    """
    try:
        return connection.extra_dejson
    except RecursionError:
        raise InvalidConnection("The extra of the connection nests too deeply.", advice="Save the connection again.") from None


def _widget(field: Field) -> Any:
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from wtforms import IntegerField, PasswordField, StringField
    from wtforms.validators import Optional, any_of

    if field.secret:
        return PasswordField(field.label, description=field.description, widget=BS3PasswordFieldWidget())
    kind = IntegerField if "integer" in field.schema.get("type", ()) else StringField
    validators = [Optional(), *([any_of(list(field.choices))] if field.choices else [])]
    labels = ", ".join(f"{value}: {label}" for value, label in field.choices.items())
    return kind(
        field.label,
        validators=validators,
        description=f"{field.description} {labels}".strip(),
        default=field.schema.get("default"),
        widget=BS3TextFieldWidget(),
    )


def _test(config: ClientConfig) -> tuple[bool, str]:
    hosts = config.hosts
    try:
        with ZohoCrmClient(config, NO_RETRIES, on_secret=mask_secret) as client:
            modules = client.send(list_modules())
            return True, f"Connected to {_org_name(client)} ({hosts.data_center}, {hosts.environment}): {len(modules)} modules."
    except TokenRejected:
        return False, (
            f"Zoho rejects a token that it has just granted: the refresh token was not made for the environment {hosts.environment}. "
            "Set environment to the one that was chosen in Zoho with the grant code."
        )
    except ZohoCrmError as error:
        return False, str(error)


def _org_name(client: ZohoCrmClient) -> str:
    """Return the org's name, or just "Zoho CRM": reading it needs a scope that nothing else does."""
    try:
        org = client.send(get_org())
    except ZohoCrmError:
        return "Zoho CRM"
    return f"{org.company_name} (org {org.zgid})"
