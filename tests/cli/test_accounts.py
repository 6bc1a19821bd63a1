"""Finding the data centre of a client and of its grant code, without using the code up."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, hosts_of
from airflow_provider_zcrm.api.errors import ConnectionFailed, CredentialsRejected, TokenThrottled
from airflow_provider_zcrm.api.oauth import AuthorizationCodeGrant, ClientCredentialsGrant, Credentials, RefreshTokenGrant
from airflow_provider_zcrm.cli.accounts import Accounts
from airflow_provider_zcrm.client.config import ClientConfig
from tests.cli.conftest import CODE, REFRESH_TOKEN, Zoho
from tests.conftest import CLIENT_ID, CLIENT_SECRET

GRANT = AuthorizationCodeGrant(CODE)


def accounts(data_center: str = "us", secret: str = CLIENT_SECRET, client_id: str = CLIENT_ID, **config: Any) -> Accounts:
    credentials = Credentials(client_id, secret, RefreshTokenGrant("-"))
    return Accounts(ClientConfig(credentials, hosts_of(data_center, "production"), **config))


def code_is_unused(zoho: Zoho, data_center: str) -> bool:
    return accounts(data_center).token(GRANT)[1].refresh_token is not None


def test_a_client_of_the_data_center_that_was_said_costs_one_request(zoho: Zoho) -> None:
    assert accounts().find_client() == "us"
    assert zoho.accounts_asked() == ["us"]


def test_a_client_of_another_data_center_is_found(zoho: Zoho) -> None:
    zoho.seed("in")
    assert accounts("us").find_client() == "in"
    assert zoho.accounts_asked() == ["us", "eu", "in"]
    assert zoho.tokens_issued() == 0


def test_a_code_is_exchanged_with_one_request(zoho: Zoho) -> None:
    data_center, token = accounts().token(GRANT)
    assert (data_center, zoho.accounts_asked()) == ("us", ["us"])
    assert token.refresh_token
    assert "ZohoCRM.settings.ALL" in token.scope


def test_a_code_of_another_data_center_finds_its_way_and_is_not_used_up_on_it(zoho: Zoho) -> None:
    zoho.seed("eu", secrets={"us": CLIENT_SECRET, "in": "another secret"})
    data_center, token = accounts("us").token(GRANT)
    assert (data_center, token.data_center) == ("eu", None)
    assert token.refresh_token
    assert zoho.accounts_asked() == ["us", "eu", "eu"]


def test_a_code_goes_only_to_data_centers_that_know_the_client_with_its_secret(zoho: Zoho) -> None:
    zoho.seed("us", secrets={"eu": "another secret"})
    accounts().token(GRANT)
    with pytest.raises(CredentialsRejected, match="does not accept the grant code"):
        accounts().token(GRANT)
    requests = zoho.control.requests("/oauth")
    # the exchange, the same again, and one with a code that cannot exist for each of the others
    assert len(requests) == 2 + len(DATA_CENTERS) - 2


def test_a_wrong_secret_is_noticed_before_there_is_a_code(zoho: Zoho) -> None:
    zoho.seed("eu")
    with pytest.raises(CredentialsRejected) as refused:
        accounts("us", secret="wrong").find_client()
    assert "in the data center eu, but not with this client secret" in str(refused.value)
    assert "https://api-console.zoho.eu" in str(refused.value)
    assert code_is_unused(zoho, "eu")


def test_a_client_that_no_data_center_knows_is_named_with_all_that_were_asked(zoho: Zoho) -> None:
    with pytest.raises(CredentialsRejected, match="us, eu, in, au, jp, ca, sa, uk, ae") as refused:
        accounts(client_id="1000.NOBODY").find_client()
    assert "cn" not in zoho.accounts_asked()
    assert CLIENT_SECRET not in str(refused.value)


def test_china_is_a_system_of_its_own(zoho: Zoho) -> None:
    zoho.seed("eu")
    with pytest.raises(CredentialsRejected):
        accounts("cn").find_client()
    assert zoho.accounts_asked() == ["cn"]


def test_hosts_of_the_connections_own_are_the_only_ones_asked(zoho: Zoho, emulator_server: Any) -> None:
    zoho.seed("eu")
    credentials = Credentials("1000.NOBODY", CLIENT_SECRET, RefreshTokenGrant("-"))
    own = ClientConfig(credentials, hosts_of("us", "production", emulator_server.url, emulator_server.url))
    with pytest.raises(CredentialsRejected):
        Accounts(own).find_client()
    assert zoho.asked() == []
    assert len(zoho.control.requests("/oauth")) == 1


def test_a_code_whose_answer_was_lost_is_not_sent_again(zoho: Zoho) -> None:
    zoho.control.fault("drop_after", "/oauth")
    with pytest.raises(ConnectionFailed, match="make a new one"):
        accounts().token(GRANT)
    assert len(zoho.control.requests("/oauth")) == 1


def test_the_throttle_is_no_reason_to_ask_the_other_data_centers(zoho: Zoho) -> None:
    zoho.control.fault("token_throttle", "/oauth")
    with pytest.raises(TokenThrottled):
        accounts().token(GRANT)
    assert zoho.accounts_asked() == ["us"]


def test_a_data_center_that_cannot_be_reached_does_not_hide_the_right_one(zoho: Zoho) -> None:
    zoho.seed("in")
    zoho.control.fault("html", "/oauth", after=1)
    assert accounts("us").find_client() == "in"


def test_client_credentials_find_their_data_center(zoho: Zoho) -> None:
    zoho.seed("au")
    data_center, token = accounts("us").token(ClientCredentialsGrant("808232144", "ZohoCRM.org.READ"))
    assert (data_center, token.scope) == ("au", "ZohoCRM.org.READ")


def test_what_was_said_already_is_not_asked_again(zoho: Zoho) -> None:
    zoho.seed("eu")
    said = CredentialsRejected("invalid_client")
    assert accounts("us").token(RefreshTokenGrant(REFRESH_TOKEN), rejected=said)[0] == "eu"
    assert zoho.accounts_asked() == ["eu", "eu"]


def test_who_waits_is_told_whom_zoho_is_asked_for(zoho: Zoho) -> None:
    zoho.seed("eu")
    told: list[str] = []
    one = accounts("us")
    one.tell = told.append
    one.find_client()
    assert told == ["us", "eu"]
