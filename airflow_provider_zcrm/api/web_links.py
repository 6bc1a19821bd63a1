"""Where people look at a module in Zoho's web client.

Zoho documents no address of its web client; these are what the address bar shows. A tab is not always named like the module's API
name: Deals is Potentials, and a custom module is CustomModule<n>, which the API name does not tell.
"""

from __future__ import annotations

from airflow_provider_zcrm.api.data_centers import Hosts

_SAME_NAME = (
    *("Leads", "Contacts", "Accounts", "Tasks", "Events", "Calls", "Products", "Quotes"),
    *("Invoices", "Campaigns", "Vendors", "Cases", "Solutions"),
)
_TABS = {name: name for name in _SAME_NAME} | {
    "Deals": "Potentials",
    "Price_Books": "PriceBooks",
    "Purchase_Orders": "PurchaseOrders",
    "Sales_Orders": "SalesOrders",
}


def module_url(hosts: Hosts, module: str | None, zgid: str | None = None) -> str | None:
    """Return the address of a module's list, or of the web client's start page for a module whose tab is not known.

    :param module: API name of the module, or None.
    :param zgid: the org's id, where it is known; without it Zoho opens the org in which the reader worked last.
    :return: None where the web client is not known: the connection points to an API that is not Zoho's own
    """
    if hosts.web_url is None:
        return None
    org = f"org{zgid}/" if zgid and hosts.environment == "production" else ""
    return f"{hosts.web_url}/crm/{org}tab/{_TABS.get(module or '', 'Home')}"
