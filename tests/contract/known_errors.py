"""Where Zoho's OpenAPI files (v8.0, June 2025) are wrong or say nothing, and what stands in their place: each with its reason.

A correction replaces what is at a place in a file. Everything that is not listed here is held to the files as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "details": {"type": "object"},
        "message": {"type": "string"},
        "status": {"type": "string", "enum": ["error"]},
    },
    "required": ["code", "details", "message", "status"],
}
ID_DETAILS = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}


def _response(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def _in(key: str, element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: {"type": "array", "items": element}}, "required": [key]}


@dataclass(frozen=True)
class Correction:
    """Put `value` at `place` (keys from the root of the file)."""

    file: str
    place: tuple[str, ...]
    value: Any
    reason: str


def _schema(*place: str) -> tuple[str, ...]:
    return ("components", "schemas", *place)


MASS_DELETE_TAGS = "/crm/v8/settings/tags/actions/mass_delete"
MASS_DELETE_RECORDS = "/crm/v8/{module}/actions/mass_delete"
TAGS = "/crm/v8/settings/tags"
ADD_TAGS = "/crm/v8/{module_api_name}/actions/add_tags"
RECORDS = "/crm/v8/{module_api_name}"
BULK_READ = "/crm/bulk/v8/read"
BULK_READ_JOB = f"{BULK_READ}/{{job_id}}"
BIN = "/crm/v8/settings/recycle_bin"
RECORDS_COUNT = "/crm/v8/settings/tags/{id}/actions/records_count"

_IDS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 200}
RESTORE = {
    "oneOf": [
        {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}
        for name, schema in (("ids", _IDS), ("filters", {"type": "object"}), ("restore_all_records", {"enum": [True]}))
    ]
}
_DONE = {**ENVELOPE, "properties": {**ENVELOPE["properties"], "status": {"enum": ["success"]}, "code": {"enum": ["SUCCESS", "SCHEDULED"]}}}
RESTORED = {
    "200": _response(_in("recycle_bin", _DONE)),
    "202": _response(_in("recycle_bin", {"oneOf": [_DONE, ENVELOPE]})),
    "207": _response(_in("recycle_bin", {"oneOf": [_DONE, ENVELOPE]})),
    "400": _response({"oneOf": [ENVELOPE, _in("recycle_bin", ENVELOPE)]}),
}

CORRECTIONS = [
    Correction(
        "mass_delete_tags.json",
        _schema("success", "properties", "details", "properties", "job_id"),
        {"type": "string"},
        "typed as an object; every sample of the documentation has a string",
    ),
    Correction(
        "mass_delete_tags.json",
        _schema("Invalid_Job_Id"),
        _in("mass_delete", {"oneOf": [ENVELOPE, {"type": "array", "items": ENVELOPE}]}),
        "has an array inside the array and an object as job_id; the newer files and the SDK have one array and a string",
    ),
    Correction(
        "mass_delete_cvid.json",
        _schema("Success_Response", "properties", "details", "required"),
        [],
        "requires id and job_id together; a record that was deleted has only an id, a job only a job_id",
    ),
    Correction(
        "mass_delete_cvid.json",
        ("paths", MASS_DELETE_RECORDS, "post", "responses", "400"),
        _response({"oneOf": [ENVELOPE, _in("data", ENVELOPE)]}),
        "knows five errors, all inside data[]; the documentation has more, and the newer files have them as bare envelopes",
    ),
    Correction(
        "mass_delete_cvid.json",
        ("paths", MASS_DELETE_RECORDS, "post", "responses", "207"),
        _response(_in("data", {"oneOf": [{"$ref": "#/components/schemas/Success_Response"}, ENVELOPE]})),
        "missing; the newer files describe 207 for a deletion by ids that went through in part",
    ),
    Correction(
        "mass_delete_cvid.json",
        ("paths", MASS_DELETE_RECORDS, "get", "responses", "400"),
        _response(ENVELOPE),
        "knows INTERNAL_SERVER_ERROR only; the newer files have the errors for a job id that is missing, unknown or no number",
    ),
    Correction(
        "mass_delete_cvid.json",
        ("paths", MASS_DELETE_RECORDS, "get", "responses", "404"),
        _response(ENVELOPE),
        "missing; the documentation has NOT_FOUND for an unknown job",
    ),
    Correction(
        "mass_delete_cvid.json",
        ("paths", MASS_DELETE_RECORDS, "post", "requestBody", "content", "application/json", "schema"),
        {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"ids": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 500}},
                    "required": ["ids"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"cvid": {"type": "string"}, "territory": {"type": "object", "required": ["id"]}},
                    "required": ["cvid"],
                    "additionalProperties": False,
                },
            ]
        },
        "missing; the documentation and the newer files have ids, or cvid with an optional territory",
    ),
    Correction(
        "mass_delete_tags.json",
        _schema("Body_Wrapper", "properties", "mass_delete", "maxItems"),
        1,
        "missing; the documentation allows one module per call",
    ),
    Correction(
        "mass_delete_tags.json",
        _schema("Body_Wrapper", "properties", "mass_delete", "items", "properties", "tags", "maxItems"),
        200,
        "missing; the documentation allows 200 tags per call",
    ),
    Correction(
        "tags.json",
        _schema("Success_Response", "properties", "details", "required"),
        ["id"],
        "requires six keys; the answer to a deletion has the id only",
    ),
    Correction(
        "tags.json",
        _schema("Invalid_Data", "properties", "details", "oneOf"),
        [{"$ref": "#/components/schemas/Maximum_Length"}, {"$ref": "#/components/schemas/Error_Detail"}, ID_DETAILS],
        "lacks the details of deleting an unknown tag, which are its id",
    ),
    Correction(
        "tags.json",
        _schema("Action_Wrapper"),
        _in("tags", ENVELOPE),
        "lacks LICENSE_LIMIT_EXCEEDED, which the newer files have",
    ),
    Correction(
        "tags.json",
        ("paths", TAGS, "post", "responses", "207"),
        _response(_in("tags", {"oneOf": [{"$ref": "#/components/schemas/Success_Response"}, ENVELOPE]})),
        "missing; the newer files describe 207 for a creation that went through in part",
    ),
    Correction(
        "tags.json",
        ("paths", TAGS, "put", "responses", "207"),
        _response(_in("tags", {"oneOf": [{"$ref": "#/components/schemas/Success_Response"}, ENVELOPE]})),
        "missing, and no file says what an update that went through in part answers; taken to be as with a creation",
    ),
    Correction(
        "tags.json",
        _schema("Success_Response", "properties", "message", "enum"),
        [f"tags {done} successfully" for done in ("created", "deleted", "updated", "merged")],
        "knows no merged tags, which the newer files and the documentation have",
    ),
    Correction(
        "tags.json",
        ("paths", TAGS, "get", "responses", "204"),
        {"description": ""},
        "missing; samples of the older SDKs check for 204 where a module has no tags",
    ),
    Correction(
        "tags.json",
        _schema("Body_Wrapper"),
        _in("tags", {"type": "object", "properties": {"name": {"type": "string", "maxLength": 26}}, "required": ["name"]}),
        "asks for the id and the times of a tag that is yet to be created",
    ),
    Correction(
        "tags.json",
        ("paths", TAGS, "put", "requestBody", "content", "application/json", "schema"),
        _in(
            "tags",
            {
                "type": "object",
                "properties": {"id": {"type": "string"}, "name": {"type": "string", "maxLength": 26}},
                "required": ["id", "name"],
            },
        ),
        "asks for the colour, the creator and the times of a tag, which are not for the user to change",
    ),
    Correction(
        "tags.json",
        _schema("New_Tag_Request_Wrapper", "properties", "tags", "items"),
        {
            "type": "object",
            "properties": {"name": {"type": "string", "maxLength": 25}, "id": {"type": "string", "nullable": True}},
            "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
        },
        "asks for the colour, the creator and the times of a tag that is only put on records; the documentation has its id or its name",
    ),
    *(
        Correction(
            "tags.json",
            _schema(f"{kind}_Tag_Request_Wrapper", "required"),
            ["tags"],
            "requires the ids also where the record is in the path, and over_write, which the documentation does not",
        )
        for kind in ("New", "Existing")
    ),
    Correction(
        "tags.json",
        _schema("Existing_Tag"),
        {
            "type": "object",
            "properties": {"id": {"type": "string", "nullable": True}, "name": {"type": "string"}},
            "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
        },
        "requires the id; the documentation has the name in its place",
    ),
    Correction(
        "tags.json",
        _schema("New_Tag_Request_Wrapper", "properties", "ids", "maxItems"),
        500,
        "missing; the documentation allows 500 records per call",
    ),
    Correction(
        "tags.json",
        ("paths", TAGS, "get", "parameters"),
        [
            {"name": "module", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "my_tags", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "include", "in": "query", "required": False, "schema": {"type": "string"}},
        ],
        "lacks include, which the newer files have",
    ),
    Correction(
        "tags.json",
        ("paths", RECORDS_COUNT, "get", "responses", "400"),
        _response(ENVELOPE),
        "says param where this endpoint sends param_name",
    ),
    Correction(
        "tags.json",
        ("paths", RECORDS_COUNT, "get", "responses", "404"),
        _response(ENVELOPE),
        "missing; the newer files have 404 INVALID_DATA for an unknown tag",
    ),
    Correction(
        "tags.json",
        _schema("Record_Success_Wrapper", "properties", "data", "items"),
        {"oneOf": [{"$ref": "#/components/schemas/Record_Success_Response"}, ENVELOPE]},
        "knows no record that failed beside others; a sample of the documentation has one with the code FAILURE",
    ),
    Correction(
        "tags.json",
        _schema("Record_Action_Wrapper_Error"),
        {"oneOf": [ENVELOPE, _in("data", ENVELOPE), _in("tags", ENVELOPE)]},
        "knows four errors, all inside data[]; the newer files have RECORD_LOCKED, bare ones, and those of a tag in tags[]",
    ),
    *(
        Correction(
            "tags.json",
            ("paths", ADD_TAGS.replace("add", verb), "post", "responses", "207"),
            _response({"$ref": "#/components/schemas/Record_Success_Wrapper"}),
            "missing; other calls answer 207 when some of the records failed",
        )
        for verb in ("add", "remove")
    ),
    *(
        Correction(
            "recycle_bin.json",
            ("components", "parameters", name, "required"),
            False,
            "requires both ids and filters; the documentation has them as two ways to narrow the list, which can be left out",
        )
        for name in ("ids", "filters")
    ),
    Correction(
        "recycle_bin.json",
        ("paths", BIN, "get", "responses", "400"),
        _response(ENVELOPE),
        "knows the errors of a filter only; other parameters have details of their own",
    ),
    Correction(
        "recycle_bin.json",
        ("paths", f"{BIN}/actions/restore"),
        {"post": {"requestBody": {"required": True, "content": {"application/json": {"schema": RESTORE}}}, "responses": RESTORED}},
        "missing; the documentation and the newer files have it",
    ),
    Correction(
        "recycle_bin.json",
        ("paths", f"{BIN}/{{record_id}}/actions/restore"),
        {
            "post": {
                "parameters": [{"name": "record_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": RESTORED,
            }
        },
        "missing; the documentation and the newer files have it",
    ),
    Correction(
        "bulk_read.json",
        _schema("Query", "required"),
        ["module"],
        "requires all of its keys; in the samples of the documentation the module is enough",
    ),
    Correction(
        "bulk_read.json",
        _schema("Query", "properties", "module"),
        {"type": "object", "properties": {"api_name": {"type": "string"}}, "required": ["api_name"]},
        "requires the id of the module too",
    ),
    Correction(
        "bulk_read.json",
        _schema("Job_Detail", "required"),
        ["id", "operation", "state", "query", "created_by", "created_time", "file_type"],
        "requires the result in every state; the documentation has it after the completion",
    ),
    Correction(
        "bulk_read.json",
        _schema("Job_Detail", "properties", "state", "enum"),
        ["ADDED", "QUEUED", "IN PROGRESS", "COMPLETED", "FAILURE"],
        "lacks QUEUED, which the documentation and the newer files have",
    ),
    Correction(
        "bulk_read.json",
        _schema("Job_Detail", "properties", "result"),
        {"oneOf": [{"$ref": "#/components/schemas/Result"}, {"type": "object", "required": ["error_message"]}]},
        "lacks the result of a job that failed",
    ),
    Correction(
        "bulk_read.json",
        _schema("Result", "required"),
        ["page", "count", "download_url", "per_page", "more_records"],
        "requires a next_page_token, also where there are no more records",
    ),
    Correction(
        "bulk_read.json",
        ("paths", BULK_READ, "post", "responses", "400"),
        _response(ENVELOPE),
        "lacks the errors for a field, a module or a page token that is not there, which the newer files have",
    ),
    Correction(
        "bulk_read.json",
        ("paths", BULK_READ, "post", "responses", "415"),
        _response(ENVELOPE),
        "missing; the documentation has 415 for a body without its type",
    ),
    Correction(
        "bulk_read.json",
        ("paths", f"{BULK_READ_JOB}/result", "get", "responses", "200"),
        {"description": "", "content": {"application/zip": {}}},
        "says application/x-download; the newer files say application/zip",
    ),
    Correction(
        "bulk_read.json",
        ("paths", f"{BULK_READ_JOB}/result", "get", "responses", "404"),
        _response(ENVELOPE),
        "says 400 where the documentation and the newer files say 404",
    ),
    Correction(
        "record.json",
        _schema("Info", "properties"),
        {
            **{name: {"type": "integer"} for name in ("page", "per_page", "count")},
            **{name: {"type": "boolean"} for name in ("call", "email", "more_records")},
            **{name: {"type": "string", "nullable": True} for name in ("next_page_token", "previous_page_token", "page_token_expiry")},
            **{name: {"type": "string"} for name in ("sort_by", "sort_order")},
        },
        "knows no null; in the samples of the documentation the tokens are null where there is no such page",
    ),
    Correction(
        "record.json",
        _schema("Record", "properties", "Tag"),
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "id": {"type": "string"}, "color_code": {"type": "string", "nullable": True}},
                "required": ["name", "id", "color_code"],
                "additionalProperties": False,
            },
        },
        "has the tag as the list of tags has it, with its times and persons; a record has three keys of it",
    ),
    *(
        Correction("record.json", ("paths", path, "get", "responses", status), answer, "missing; the documentation has it")
        for path in (RECORDS, f"{RECORDS}/search")
        for status, answer in (("204", {"description": ""}), ("400", _response(ENVELOPE)))
    ),
    *(
        Correction(
            "record.json",
            ("paths", path, "get", "responses", "200"),
            _response({"allOf": [{"$ref": "#/components/schemas/Response_Wrapper"}, {"type": "object", "required": ["data", "info"]}]}),
            "allows an error in place of the records, and requires nothing, so that anything fits; the documentation has both keys",
        )
        for path in (RECORDS, f"{RECORDS}/search")
    ),
    Correction(
        "record.json",
        ("paths", f"{RECORDS}/actions/count", "get", "responses", "200"),
        _response({"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}),
        "allows an error in place of the count, and the count is text; in the sample of the documentation it is a number",
    ),
    Correction(
        "record.json",
        ("paths", f"{RECORDS}/actions/count", "get", "responses", "400"),
        _response(ENVELOPE),
        "missing; the documentation has AMBIGUITY_DURING_PROCESSING and INVALID_DATA",
    ),
    *(
        Correction(
            "record.json",
            ("paths", RECORDS, "post", "responses", status),
            _response(answer),
            "knows only 200; the documentation has 201 where all records were made, 207 where some were, and errors",
        )
        for status, answer in (
            ("201", _in("data", {"$ref": "#/components/schemas/Success_Response"})),
            ("207", _in("data", {"anyOf": [{"$ref": "#/components/schemas/Success_Response"}, ENVELOPE]})),
            ("400", {"anyOf": [ENVELOPE, _in("data", ENVELOPE)]}),
        )
    ),
    Correction(
        "modules.json",
        _schema("modules", "required"),
        ["id"],
        "requires some 60 keys, most of which only the answer for a single module has; in the newer files the id alone is mandatory",
    ),
    Correction(
        "modules.json",
        _schema("Invalid_Data", "properties", "details"),
        {"type": "object"},
        "lacks the details of a status that does not exist (index, supported_values, param_name)",
    ),
    Correction(
        "modules.json",
        ("paths", "/crm/v8/settings/modules", "get", "responses", "204"),
        {"description": ""},
        "missing; the newer files have 204 where no module has the status asked for",
    ),
    Correction(
        "modules.json",
        ("components", "parameters", "status", "schema"),
        {"type": "string"},
        "allows one status; the newer files allow several with commas",
    ),
]

ONE_OF_OVERLAPS = """The alternatives of nearly every oneOf overlap: the details of an error with a maximum length fit the schema without
one too, and a strict oneOf would refuse both. So oneOf is read as anyOf."""

# The files describe the errors of an endpoint, hardly any of those that every endpoint has: status -> codes, all in the bare envelope
GENERAL_ERRORS = {
    400: {
        "INVALID_REQUEST_METHOD",
        "INVALID_MODULE",
        "UNABLE_TO_PARSE_DATA_TYPE",
        "ALREADY_SCHEDULED",
        "REQUIRED_PARAM_MISSING",
    },
    401: {"AUTHENTICATION_FAILURE", "INVALID_TOKEN", "OAUTH_SCOPE_MISMATCH", "REQUIRED_PARAM_MISSING"},
    403: {"NO_PERMISSION"},
    404: {"INVALID_URL_PATTERN"},
    429: {"TOO_MANY_REQUESTS"},
    500: {"INTERNAL_ERROR"},
}
