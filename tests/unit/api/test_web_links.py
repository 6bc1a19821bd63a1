"""Addresses of Zoho's web client."""

from __future__ import annotations

import pytest

from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.web_links import module_url

EU = hosts_of("eu", "production")


@pytest.mark.parametrize(
    ("module", "tab"),
    [("Leads", "Leads"), ("Deals", "Potentials"), ("Sales_Orders", "SalesOrders"), ("Site_Surveys", "Home"), ("", "Home"), (None, "Home")],
)
def test_a_module_has_its_tab_and_one_whose_tab_is_not_known_the_start_page(module: str | None, tab: str) -> None:
    assert module_url(EU, module) == f"https://crm.zoho.eu/crm/tab/{tab}"


def test_the_data_center_and_the_environment_have_their_hosts() -> None:
    assert module_url(hosts_of("ca", "production"), "Leads") == "https://crm.zohocloud.ca/crm/tab/Leads"
    assert module_url(hosts_of("au", "sandbox"), "Leads") == "https://crmsandbox.zoho.com.au/crm/tab/Leads"


def test_an_org_that_is_known_is_named_but_a_sandbox_goes_by_another_name() -> None:
    assert module_url(EU, "Leads", "808232144") == "https://crm.zoho.eu/crm/org808232144/tab/Leads"
    assert module_url(hosts_of("eu", "sandbox"), "Leads", "808232144") == "https://crmsandbox.zoho.eu/crm/tab/Leads"


def test_where_the_web_client_is_not_known_there_is_no_address() -> None:
    assert module_url(hosts_of("eu", "developer"), "Leads") is None
    assert module_url(hosts_of("eu", "production", "http://127.0.0.1:1", "http://127.0.0.1:1"), "Leads") is None
    assert module_url(hosts_of("eu", "production", "https://accounts.zoho.eu", "https://www.zohoapis.eu"), "Leads") is not None
