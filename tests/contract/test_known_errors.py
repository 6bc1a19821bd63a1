"""That the list of errors in Zoho's OpenAPI files has none that the files no longer have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.known_errors import CORRECTIONS, Correction
from tests.contract.openapi_folder import FOLDER

ABSENT = object()


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda correction: f"{correction.file}#{'/'.join(correction.place)}")
def test_a_correction_changes_its_file(correction: Correction) -> None:
    path = FOLDER / correction.file
    if not path.is_file():
        pytest.skip(f"{correction.file} of Zoho's OpenAPI files is not here; ZOHO_OAS_DIR says where they are")

    found: Any = json.loads(path.read_text(encoding="utf-8"))
    for key in correction.place:
        found = found.get(key, ABSENT)

    assert found != correction.value
