"""One OpenAPI document out of all of Zoho's files, corrected as `known_errors` lists, without a reference that leaves it.

What a file has under ``components`` gets the file's name before its own: ``tags.json#/components/schemas/Tag`` becomes
``#/components/schemas/tags.Tag``. The errors that every endpoint has (`GENERAL_ERRORS`) stand at every operation.
"""

from __future__ import annotations

import re
from typing import Any

from tests.contract import oas
from tests.contract.known_errors import ENVELOPE, GENERAL_ERRORS
from tests.contract.openapi_folder import FOLDER
from tests.schemathesis.examples import BODIES, NEEDED, PARAMETERS, PARAMETERS_OF

FILES = sorted(path.name for path in FOLDER.glob("*.json"))


def merged_document() -> dict[str, Any]:
    """Return the document. It is of OpenAPI 3.1, whose schemas are JSON Schema, as those of `oas.document` are."""
    merged: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Zoho CRM", "version": "8"}, "paths": {}, "components": {}}
    for file in FILES:
        contents = _with_own_references(oas.document(file), file)
        for path, operations in contents["paths"].items():
            merged["paths"].setdefault(path, {}).update(operations)
        for kind, named in contents["components"].items():
            merged["components"].setdefault(kind, {}).update({f"{_stem(file)}.{name}": value for name, value in named.items()})
    for path, operations in merged["paths"].items():
        for method, operation in operations.items():
            _add_general_errors(operation["responses"])
            _add_examples(merged, f"{method.upper()} {path}", operation)
    return merged


def example_of(merged: dict[str, Any], label: str) -> dict[str, Any]:
    """Return a request that the emulator fulfils: only what it needs, as the arguments of a `schemathesis.Case`."""
    method, path = label.split()
    operation = merged["paths"][path][method.lower()]
    example: dict[str, Any] = {"path_parameters": {}, "query": {}}
    for parameter in operation["parameters"]:
        name = parameter["name"]
        if parameter.get("required") or name in NEEDED:
            example["query" if parameter["in"] == "query" else "path_parameters"][name] = _values(label, name)[0]
    return example | ({"body": BODIES[label], "media_type": "application/json"} if label in BODIES else {})


def _with_own_references(node: Any, file: str) -> Any:
    """Let every reference point into the merged document; what is in a file that is not merged may be anything."""
    if isinstance(node, list):
        return [_with_own_references(item, file) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {key: _with_own_references(value, file) for key, value in node.items()}
    address, _, place = node["$ref"].partition("#")
    target = address.rpartition("/")[2] or file
    if target not in FILES:
        return {}
    return {"$ref": "#" + re.sub(r"^(/components/\w+/)", rf"\1{_stem(target)}.", place)}


def _stem(file: str) -> str:
    return file.removesuffix(".json")


def _add_general_errors(responses: dict[str, Any]) -> None:
    for status, codes in GENERAL_ERRORS.items():
        error = {**ENVELOPE, "properties": {**ENVELOPE["properties"], "code": {"enum": sorted(codes)}}}
        content = responses.setdefault(str(status), {"description": ""}).setdefault("content", {}).setdefault("application/json", {})
        content["schema"] = {"anyOf": [content["schema"], error]} if "schema" in content else error


def _add_examples(merged: dict[str, Any], label: str, operation: dict[str, Any]) -> None:
    parameters = [_resolved(merged, parameter) for parameter in operation.get("parameters", [])]
    operation["parameters"] = [{**parameter, **_examples(_values(label, parameter["name"]))} for parameter in parameters]
    if label in BODIES:
        operation["requestBody"]["content"]["application/json"] |= _examples([BODIES[label]])


def _resolved(merged: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in item:
        return item
    found: Any = merged
    for key in item["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    result: dict[str, Any] = found
    return result


def _values(label: str, name: str) -> list[str]:
    return PARAMETERS_OF.get(label, {}).get(name) or PARAMETERS.get(name, [])


def _examples(values: list[Any]) -> dict[str, Any]:
    return {"examples": {str(number): {"value": value} for number, value in enumerate(values)}} if values else {}
