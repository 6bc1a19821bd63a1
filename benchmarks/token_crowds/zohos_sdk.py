"""Zoho's own SDK with its `FileStore`; it knows Zoho's data centres only, so one more is defined here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import crowd
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import Initializer
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.modules import ModulesOperations


class EmulatorDataCenter(DataCenter):
    """The emulator, as a data centre."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get_iam_url(self) -> str:
        """Return where tokens are asked for."""
        return f"{self.url}/oauth/v2/token"

    def get_file_upload_url(self) -> str:
        """Return where files would go."""
        return self.url

    def environment(self) -> Any:
        """Return what the SDK is initialised with."""
        return DataCenter.Environment(self.url, self.get_iam_url(), self.get_file_upload_url())


def first_call(order: dict[str, Any]) -> int:
    """Initialise the SDK and list the modules."""
    folder = Path(order["folder"])
    token = OAuthToken(
        client_id=order["client_id"], client_secret=order["client_secret"], refresh_token=order["refresh_token"], find_user=False
    )
    Initializer.initialize(
        environment=EmulatorDataCenter(order["url"]).environment(),
        token=token,
        store=FileStore(file_path=str(folder / "tokens.txt")),
        resource_path=str(folder),
        logger=Logger.get_instance(level=Logger.Levels.ERROR, file_path=str(folder / "sdk.log")),
    )
    return len(ModulesOperations().get_modules().get_object().get_modules())


if __name__ == "__main__":
    crowd.serve(first_call)
