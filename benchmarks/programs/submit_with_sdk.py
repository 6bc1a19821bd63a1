"""Submits a mass delete with Zoho's SDK, in the SDK's own environment."""

from __future__ import annotations

import sys
import time

from tests.sdk.mass_delete_with_sdk import CREDENTIALS, leads_id, submit, tags
from tests.sdk.on_emulator import initialize

if __name__ == "__main__":
    emulator, folder, tag = sys.argv[1:]
    initialize(folder, emulator, CREDENTIALS)
    submit(leads_id(), [listed for listed in tags().values() if str(listed) == tag])
    sys.stdout.write(f"{time.time()} {time.process_time()} 0\n")
