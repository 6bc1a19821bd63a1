"""How a token looks in a store that others can read, and who can open it."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.oauth import ClientCredentialsGrant, Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.token_seal import TokenSeal

US, EU, SANDBOX = hosts_of("us", "production"), hosts_of("eu", "production"), hosts_of("us", "sandbox")
ELSEWHERE = hosts_of("us", "production", "http://127.0.0.1:9000", "http://127.0.0.1:9000")
OTHER_API = hosts_of("us", "production", "http://127.0.0.1:9000", "http://127.0.0.1:9001")
REFRESH, ORG = RefreshTokenGrant("1000.refresh"), ClientCredentialsGrant("7", "ZohoCRM.settings.ALL")
# what format 1 has stored of {"token": "1000.abc"}: with another reading of the connection each process would ask for a token of its own
STORED = [
    (
        REFRESH,
        "zoho_crm_token_ffa89d7a08555ea6366724e4bde7ae5e",
        (
            "gAAAAABrDBhvKWe_0LOqDfPMnKjB3Rn8C4WNq6B6IrwJU653tkoHKgq9qdm2UhCFj9MSz73a5ki7_aUpHxWu9ktuT55Z19x-oMy1wWs6JPepucX_O_660DnI7lGVXV6S"
            "ksCxTxGmArD-milj501sxA45tWF9XpepWSO0PVW_gdq_LgxhHRHlCvDcwOTQXo5JW66uxlnHcHuU-gRiCFkDNofd2LD39Kmb2tiCMxgtFwwXfHOJTprvqJ_pBEtr0ZhM"
            "uFLvwm2eza1CiO9URHBwulPNpqxoAwXs0A=="
        ),
    ),
    (
        ORG,
        "zoho_crm_token_0cc4cc08c6b8435960f604253ee9ccfd",
        (
            "gAAAAABrDBhvAFL-oYdrR6YAkSsLG36qULOTJE8tXRfl4l48HBp80Blov5VxCqyev42kCyi8NjP3SkGqXwMe3Z-Zdbvx0Dq2ciAnzMEqdAfbgkirBfB4K5D6zodbKRa9"
            "rpnTnNrckh_yexk0LjCQ8NimfSbzVoqCvgsIG_e8rCVPN23Vb3MKLmO1DlIINMEzy4nSMNPq5rW_paltao_RlTIn3Mm6-p0PFvotylV5EPq8Wu1zwotBCVmeWYTuCYQy"
            "lcOHXRZerag-rbXyvhRaciRKD0TqFaSxVQ=="
        ),
    ),
]
SOMEBODY_ELSES = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()


def seal(secret: str = "s3cret", grant: Any = REFRESH, hosts: Any = US, client_id: str = "1000.CLIENT") -> TokenSeal:
    return TokenSeal(ClientConfig(Credentials(client_id, secret, grant), hosts))


@pytest.mark.parametrize(("grant", "name", "sealed"), STORED, ids=["refresh token", "client credentials"])
def test_what_format_1_has_stored_is_found_and_opened(grant: Any, name: str, sealed: str) -> None:
    found = seal(grant=grant)

    assert found.name == name
    assert found.open(sealed)["token"] == "1000.abc"


def test_what_is_sealed_is_opened_by_the_same_connection() -> None:
    sealed = seal().seal({"token": "1000.abc", "issued_at": 1.5})

    assert "abc" not in sealed
    assert seal().open(sealed).items() >= {"token": "1000.abc", "issued_at": 1.5}.items()


@pytest.mark.parametrize(
    "other",
    [
        {"secret": "another"},
        {"grant": RefreshTokenGrant("1000.another")},
        {"grant": ORG},
        {"client_id": "1000.ANOTHER"},
        {"hosts": EU},
        {"hosts": SANDBOX},
        {"hosts": ELSEWHERE},
    ],
    ids=repr,
)
def test_another_connection_has_another_name_and_cannot_open_it(other: dict[str, Any]) -> None:
    assert seal(**other).name != seal().name
    assert seal(**other).open(seal().seal({"token": "1000.abc"})) == {}


@pytest.mark.parametrize("other", [ClientCredentialsGrant("8", ORG.scope), ClientCredentialsGrant("7", "ZohoCRM.modules.ALL")], ids=repr)
def test_another_org_or_scope_has_another_name(other: Any) -> None:
    assert seal(grant=other).name != seal(grant=ORG).name
    assert seal(grant=other).open(seal(grant=ORG).seal({"token": "1000.abc"})) == {}


def test_another_api_host_at_the_same_accounts_host_is_another_connection() -> None:
    assert seal(hosts=OTHER_API).name != seal(hosts=ELSEWHERE).name


@pytest.mark.parametrize(
    "stored", [None, "", "not sealed", "gAAAA", SOMEBODY_ELSES], ids=["nothing", "empty", "no seal", "cut off", "another"]
)
def test_what_cannot_be_opened_is_nothing(stored: str | None) -> None:
    assert seal().open(stored) == {}


def test_what_the_seal_fits_but_another_connection_is_named_in_is_nothing() -> None:
    mine, other = seal(), seal(hosts=EU)
    other._fernet = mine._fernet

    assert mine.open(other.seal({"token": "1000.abc"})) == {}
