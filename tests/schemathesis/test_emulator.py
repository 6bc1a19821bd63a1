"""Requests that Schemathesis makes out of Zoho's OpenAPI files, right and wrong ones, and what the emulator answers, held to the files.

The seed is fixed, so that a run is like the one before; ``SCHEMATHESIS_SEED`` sets another. Every request meets the same small org.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from airflow_provider_zcrm.emulator import gateway
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.contract import oas
from tests.emulator.user import User
from tests.schemathesis.document import example_of, merged_document
from tests.schemathesis.examples import IN_BODIES, PARAMETERS, PARAMETERS_OF, let_jobs_end, prepare

if not oas.more_available():
    pytest.skip(oas.WHY_MORE_SKIPPED, allow_module_level=True)

SEED = int(os.environ.get("SCHEMATHESIS_SEED", "1"))
# The last one: what the files forbid is refused
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, negative_data_rejection]
CONFIG: dict[str, Any] = {
    "seed": SEED,
    "suppress-health-check": ["too_slow"],  # a busy machine is no error
    "generation": {"max-examples": 12, "database": "none"},
    "phases": {"coverage": {"unexpected-methods": []}},
    # or the strings of whatever has been imported would be tried
    "analysis": {"constants": {"enabled": False}},
    "dictionaries": {name: {"values": values} for name, values in PARAMETERS.items()}
    | {f"{name} in a body": {"values": values} for name, (values, _) in IN_BODIES.items()},
    "parameters": {name: {"dictionary": name, "probability": 0.8} for name in PARAMETERS}
    | {
        f"body.{place}": {"dictionary": f"{name} in a body", "probability": 0.8}
        for name, (_, places) in IN_BODIES.items()
        for place in places
    },
}


def without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.replace("{version}", "v8"))


SERVED = {(method, without_names(path)) for path, methods in gateway.OPERATIONS.items() for method in methods}
document = merged_document()
schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(CONFIG)).include(
    lambda context: (context.operation.method.upper(), without_names(context.operation.path)) in SERVED
)
OPERATIONS = {result.ok().label: result.ok() for result in schema.get_all_operations()}


@pytest.fixture(autouse=True)
def _print_the_seed() -> None:
    print(f"seed {SEED}")


@pytest.fixture(scope="module")
def running() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


def check(case: schemathesis.Case, server: EmulatorServer) -> int:
    """Send a request to a new org, check the answer, and return its status."""
    user = User(server)
    prepare(user)
    if "job_id" in PARAMETERS_OF.get(case.operation.label, {}):
        let_jobs_end(user)
    response = case.call(base_url=server.url, headers=user.headers)
    case.validate_response(response, checks=CHECKS)
    return response.status_code


def test_the_files_have_every_operation_of_the_emulator() -> None:
    """One that the emulator serves and no file has would be left out without a word."""
    assert {(operation.method.upper(), without_names(operation.path)) for operation in OPERATIONS.values()} == SERVED


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_good_request_is_fulfilled(label: str, running: EmulatorServer) -> None:
    assert check(OPERATIONS[label].Case(**example_of(document, label)), running) < 300


@schema.parametrize()
def test_every_answer_is_as_the_files_have_it(case: schemathesis.Case, running: EmulatorServer) -> None:
    check(case, running)
