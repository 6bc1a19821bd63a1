"""Zoho's SDK on the emulator; the SDK knows Zoho's data centres only, so one more is defined here. Needs the SDK's own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import Initializer
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter


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


def initialize(folder: str, url: str, credentials: dict[str, str], level: Any = Logger.Levels.ERROR) -> None:
    """Initialise the SDK for an emulator.

    :param folder: for the SDK's tokens, caches and log.
    :param credentials: ``client_id``, ``client_secret`` and ``refresh_token``.
    """
    Initializer.initialize(
        environment=EmulatorDataCenter(url).environment(),
        token=OAuthToken(**credentials, find_user=False),
        store=FileStore(file_path=str(Path(folder) / "tokens.txt")),
        resource_path=folder,
        logger=Logger.get_instance(level=level, file_path=str(Path(folder) / "sdk.log")),
    )
