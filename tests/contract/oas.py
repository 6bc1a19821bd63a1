"""Holds requests and responses to Zoho's own OpenAPI files, corrected as `known_errors` lists.

Without them (`openapi_folder` says where they are looked for) `available` is false and a test should skip with `WHY_SKIPPED`. Both
`validate_request` and `validate_response` raise AssertionError with what is wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.contract.known_errors import CORRECTIONS, ENVELOPE, GENERAL_ERRORS
from tests.contract.openapi_folder import FOLDER

WHY_SKIPPED = "Zoho's OpenAPI files (github.com/zoho/crm-oas, folder v8.0) are not here; set ZOHO_OAS_DIR to the folder that has them"
FILES = ["mass_delete_tags.json", "tags.json", "modules.json", "org.json", "mass_delete_cvid.json"]
MORE_FILES = ["bulk_read.json", "record.json", "recycle_bin.json"]
WHY_MORE_SKIPPED = f"of Zoho's OpenAPI files, {', '.join(MORE_FILES)} are not here; set ZOHO_OAS_DIR to a folder that has them"


@dataclass(frozen=True)
class Operation:
    """A method of a path as a file describes it."""

    file: str
    place: tuple[str, ...]
    description: dict[str, Any]


def available() -> bool:
    """Tell whether the files are here."""
    return all((FOLDER / name).is_file() for name in FILES)


def more_available() -> bool:
    """Tell whether the files about records and bulk reads are here too."""
    return available() and all((FOLDER / name).is_file() for name in MORE_FILES)


def validate_response(method: str, path: str, status: int, body: Any) -> None:
    """Check a response (`body` decoded, None if empty) to a request; `path` without the query, of any version."""
    if _is_general_error(status, body):
        _check(ENVELOPE, body, f"{method} {path} -> {status}")
        return
    operation = _operation(method, path)
    described = _resolved(operation.file, operation.description["responses"]).get(str(status))
    if described is None:
        raise AssertionError(f"{method} {path}: no status {status} in {operation.file}: {body}")
    content = _resolved(operation.file, described).get("content")
    if content is None:
        assert body is None, f"{method} {path}: {status} has no body in {operation.file}, but: {body}"
        return
    _check(content["application/json"]["schema"], body, f"{method} {path} -> {status}", operation.file)


def validate_request(method: str, path: str, query: dict[str, str], body: Any = None) -> None:
    """Check a request: the path and method exist, the query has what is required and nothing unknown, the body fits."""
    operation = _operation(method, path)
    parameters = [_resolved(operation.file, item) for item in operation.description.get("parameters", [])]
    known = {item["name"]: item for item in parameters if item["in"] == "query"}
    for name, item in known.items():
        assert name in query or not item.get("required"), f"{method} {path}: the query lacks {name}"
    for name, value in query.items():
        assert name in known, f"{method} {path}: {operation.file} knows no query parameter {name}"
        number = known[name]["schema"].get("type") == "integer" and value.isdecimal()
        _check(known[name]["schema"], int(value) if number else value, f"{method} {path}?{name}=", operation.file)
    content = operation.description.get("requestBody", {}).get("content")
    if content is None:
        assert body is None, f"{method} {path} takes no body, but: {body}"
        return
    _check(content["application/json"]["schema"], body, f"{method} {path}", operation.file)


def _is_general_error(status: int, body: Any) -> bool:
    return isinstance(body, dict) and body.get("code") in GENERAL_ERRORS.get(status, ())


def _check(schema: dict[str, Any], instance: Any, what: str, file: str = FILES[0]) -> None:
    # A reference inside the schema is relative to its file
    absolute = json.loads(json.dumps(schema).replace('"#/', f'"{file}#/'))
    error = best_match(Draft202012Validator(absolute, registry=_registry()).iter_errors(instance))
    if error is not None:
        raise AssertionError(f"{what}: {error.message} at {error.json_path} of {instance}")


def _operation(method: str, path: str) -> Operation:
    """Find the operation; of several paths that fit the one with the fewest parameters."""
    path = re.sub(r"^/crm/(bulk/)?v[0-9.]+/", r"/crm/\1v8/", path)
    fitting = [
        Operation(name, ("paths", template, method.lower()), operations[method.lower()])
        for name in (*FILES, *MORE_FILES)
        if (FOLDER / name).is_file()
        for template, operations in document(name)["paths"].items()
        if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    if not fitting:
        raise AssertionError(f"{method} {path} is in none of Zoho's files")
    return min(fitting, key=lambda operation: operation.place[1].count("{"))


def _resolved(file: str, item: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in item:
        return item
    found: Any = document(file)
    for key in item["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    result: dict[str, Any] = found
    return result


@cache
def _registry() -> Registry[Any]:
    return Registry(retrieve=_retrieve)  # type: ignore[call-arg]


def _retrieve(uri: str) -> Resource[Any]:
    """Take a file that another names by its address on GitHub from the folder; one that is not there allows everything."""
    name = uri.rpartition("/")[2]
    contents = document(name) if (FOLDER / name).is_file() else _Anything()
    return Resource(contents=contents, specification=DRAFT202012)


class _Anything(dict[str, Any]):
    """A document that has an empty schema wherever one looks."""

    def __missing__(self, key: str) -> _Anything:
        return _Anything()


@cache
def document(name: str) -> dict[str, Any]:
    """Return a file as it is held here: corrected, and its schemas in JSON Schema's words."""
    contents = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    for correction in CORRECTIONS:
        if correction.file == name:
            _put(contents, correction.place, correction.value)
    translated: dict[str, Any] = _to_json_schema(contents)
    return translated


def _put(node: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *parents, last = place
    for key in parents:
        node = node[key]
    node[last] = value


def _to_json_schema(node: Any) -> Any:
    """Turn OpenAPI 3.0's nullable into a null type, and oneOf into anyOf (see `known_errors.ONE_OF_OVERLAPS`)."""
    if isinstance(node, list):
        return [_to_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {"anyOf" if key == "oneOf" else key: _to_json_schema(value) for key, value in node.items()}
    if result.pop("nullable", None) is True:
        result["type"] = [result["type"], "null"]
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    return result
