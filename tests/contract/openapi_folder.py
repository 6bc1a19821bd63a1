"""Where Zoho's own OpenAPI files are: they are Zoho's, and not part of this repository. Imports nothing that only tests need."""

from __future__ import annotations

import os
from pathlib import Path

# `ZOHO_OAS_DIR`, else a folder beside the repository
FOLDER = Path(os.environ.get("ZOHO_OAS_DIR") or Path(__file__).parents[3] / "shared" / "zoho" / "oas-v8.0")
