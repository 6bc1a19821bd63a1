"""``check``: what is wrong with a connection, said in plain words, at little cost."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.cli.run import main
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from tests.cli.conftest import REFRESH_TOKEN, Zoho
from tests.conftest import CLIENT_ID, CLIENT_SECRET

TAGS = ["ZohoCRM.settings.modules.READ", "ZohoCRM.settings.tags.ALL"]
Run = Callable[..., tuple[int, dict[str, dict[str, str]]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], private: Path) -> Run:
    """Run ``check`` as a process does, stdout kept from the log, through a connection; returns the exit code and findings by subject."""

    def run(*arguments: str, **extra: Any) -> tuple[int, dict[str, dict[str, str]]]:
        values = {"refresh_token": REFRESH_TOKEN, "shared_store": "file", **extra}
        connection = {"conn_type": "zoho_crm", "login": CLIENT_ID, "password": CLIENT_SECRET, "extra": values}
        monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # main sets it
        monkeypatch.setenv("AIRFLOW_CONN_ZOHO", json.dumps(connection))
        forget_tokens()
        code = main(arguments_of(*arguments))
        said = capfd.readouterr()
        assert CLIENT_SECRET not in said.out + said.err
        assert "1000." not in (said.out + said.err).replace(CLIENT_ID, "")
        result = json.loads(said.out)
        assert result["ok"] is (code == 0)
        return code, {finding["subject"]: finding for finding in result["findings"]}

    return run


def arguments_of(*arguments: str) -> list[str]:
    return ["check", "zoho", "--output", "json", *arguments]


def test_a_good_connection_is_good_in_every_respect(zoho: Zoho, run: Run) -> None:
    zoho.seed("eu", "sandbox")
    code, findings = run(data_center="eu", environment="sandbox")
    assert code == 0
    assert {finding["state"] for finding in findings.values()} <= {"ok", "off"}
    assert findings["data center"]["text"].startswith(
        "eu (Europe): tokens from https://accounts.zoho.eu, calls to https://sandbox.zohoapis.eu"
    )
    assert findings["environment"]["text"].startswith("Sandbox")
    assert findings["org"]["text"] == "Zylker (808232144), 1 module."
    assert findings["list of tags"]["text"] == "Leads has 2 of the 100 tags that Zoho allows."
    assert findings["ZohoCRM.settings.tags.DELETE"]["text"] == "Granted, for tags."
    assert findings["clock"]["text"].startswith("This machine's clock and Zoho's are at most")
    assert findings["credits"]["text"].startswith("More than half")


def test_a_module_that_is_nearly_full_is_a_warning(zoho: Zoho, run: Run) -> None:
    zoho.seed("eu", "sandbox")
    zoho.control.change_org(tags_per_module=2)
    _, findings = run(data_center="eu", environment="sandbox")
    assert findings["list of tags"]["state"] == "warning"
    assert findings["list of tags"]["text"].startswith("Leads has 2 of the 2 tags that Zoho allows. Room for 0 more;")


def test_it_reads_three_times_and_changes_nothing(zoho: Zoho, run: Run) -> None:
    before = zoho.control.org(records=True)
    run()
    calls = zoho.control.requests("/crm")
    assert [(call["method"], call["path"]) for call in calls] == [
        ("GET", "/crm/v8/settings/modules"),
        ("GET", "/crm/v8/org"),
        ("GET", "/crm/v8/settings/tags"),
    ]
    assert zoho.control.org(records=True) == before


def test_twenty_checks_cost_one_token(zoho: Zoho, run: Run) -> None:
    assert [run()[0] for _ in range(20)] == [0] * 20
    assert zoho.tokens_issued() == 1


def test_a_token_that_was_evicted_is_replaced(zoho: Zoho, run: Run) -> None:
    run()
    zoho.control.evict_access_tokens()
    code, findings = run()
    assert code == 0
    assert "Zoho has just granted one" in findings["access token"]["text"]
    assert run()[1]["access token"]["text"].startswith("Works: it was granted before")


def test_a_missing_scope_is_named_with_the_feature_that_needs_it(zoho: Zoho, run: Run) -> None:
    zoho.seed(scopes=["ZohoCRM.settings.modules.READ", "ZohoCRM.settings.tags.READ"])
    code, findings = run("--features", "tags")
    assert code == 1
    assert findings["feature tags"]["state"] == "wrong"
    assert "ZohoCRM.settings.tags.DELETE" in findings["feature tags"]["text"]
    assert findings["feature tags"]["text"].endswith(
        "is not granted. Make a new refresh token with all scopes: python -m airflow_provider_zcrm connect zoho --replace"
    )
    assert findings["ZohoCRM.settings.tags.DELETE"] == {
        "subject": "ZohoCRM.settings.tags.DELETE",
        "state": "wrong",
        "text": "Not granted, for tags.",
    }
    assert findings["ZohoCRM.settings.tags.READ"]["state"] == "ok"
    assert findings["feature records"]["state"] == findings["feature org"]["state"] == findings["org"]["state"] == "off"


def test_a_feature_that_nobody_asked_for_may_be_missing(zoho: Zoho, run: Run) -> None:
    zoho.seed(scopes=TAGS)
    assert run("--features", "tags")[0] == 0
    code, findings = run("--features", "tags,backup")
    assert code == 1
    assert findings["feature backup"]["text"].endswith("connect zoho --replace --features tags,org,backup")
    assert run()[0] == 0


def test_scopes_that_zoho_does_not_tell_are_tried_where_reading_shows_them(zoho: Zoho, run: Run) -> None:
    zoho.seed(scopes=["ZohoCRM.settings.modules.READ", "ZohoCRM.org.READ"])
    zoho.control.readings(scope_in_token_response="off")
    code, findings = run()
    assert code == 1
    assert findings["ZohoCRM.settings.modules.READ"]["state"] == findings["ZohoCRM.org.READ"]["state"] == "ok"
    assert findings["ZohoCRM.settings.tags.READ"]["state"] == "wrong"
    assert findings["ZohoCRM.settings.tags.DELETE"]["state"] == findings["feature records"]["state"] == "unknown"


def test_a_token_without_the_scope_of_the_first_call_is_examined_all_the_same(zoho: Zoho, run: Run) -> None:
    zoho.seed(scopes=["ZohoCRM.settings.tags.ALL"])
    code, findings = run("--features", "tags")
    assert code == 1
    assert findings["ZohoCRM.settings.modules.READ"]["state"] == "wrong"
    assert findings["environment"]["state"] == findings["list of tags"]["state"] == "ok"


def test_an_org_whose_modules_are_not_told_has_no_number_of_them(zoho: Zoho, run: Run) -> None:
    zoho.seed(scopes=["ZohoCRM.org.READ"])
    assert run()[1]["org"]["text"] == "Zylker (808232144)."


@pytest.mark.parametrize(("own", "other"), [("production", "sandbox"), ("sandbox", "production"), ("sandbox", "developer")])
def test_a_wrong_environment_is_told_with_the_right_one_and_costs_no_further_token(zoho: Zoho, run: Run, own: str, other: str) -> None:
    zoho.seed("eu", other)
    for _ in range(3):
        code, findings = run(data_center="eu", environment=own)
    assert code == 1
    assert findings["environment"]["text"] == (
        f"The refresh token was made for {other}, the connection says {own}. Set environment to {other}."
    )
    assert zoho.tokens_issued() == 1


def test_a_wrong_data_center_is_told_with_the_right_one(zoho: Zoho, run: Run) -> None:
    zoho.seed("in")
    for _ in range(12):
        code, findings = run(data_center="eu")
    assert (code, list(findings)) == (1, ["data center"])
    assert zoho.tokens_issued() == 0
    assert findings["data center"]["text"].endswith("the connection says eu. Set data_center to in.")


def test_a_revoked_refresh_token_is_told_with_what_to_do(zoho: Zoho, run: Run) -> None:
    code, findings = run(refresh_token="1000.revoked")
    assert (code, list(findings)) == (1, ["access token"])
    assert "it was revoked" in findings["access token"]["text"]
    assert "Make a new refresh token" in findings["access token"]["text"]


def test_a_token_that_is_revoked_while_it_is_shared_is_noticed(zoho: Zoho, run: Run) -> None:
    run()
    import requests

    url = "https://accounts.zoho.com/oauth/v2/token/revoke"
    requests.post(url, data={"token": REFRESH_TOKEN}, timeout=10, verify=zoho.environment["REQUESTS_CA_BUNDLE"])
    code, findings = run()
    assert (code, list(findings)) == (1, ["access token"])


def test_the_throttle_says_to_wait(zoho: Zoho, run: Run) -> None:
    zoho.control.fault("token_throttle", "/oauth", times=None)
    code, findings = run()
    assert code == 3
    assert [finding["state"] for finding in findings.values()] == ["later"]
    assert "Wait 10 minutes" in findings["Zoho"]["text"]


def test_a_fault_of_zohos_is_no_fault_of_the_connection(zoho: Zoho, run: Run) -> None:
    zoho.control.fault("status", "/settings/tags", times=None)
    code, findings = run()
    assert code == 3
    assert findings["list of tags"]["state"] == "later"
    assert findings["feature tags"]["state"] == "ok"


def test_few_credits_are_a_warning_and_no_fault(zoho: Zoho, run: Run) -> None:
    zoho.control.change_org(credits=10)
    for _ in range(3):
        code, findings = run()
    assert code == 0
    assert (findings["credits"]["state"], findings["credits"]["text"]) == (
        "warning",
        "1 API credits are left to the org for these 24 hours.",
    )
    code, findings = run()
    assert code == 3


@pytest.mark.parametrize(("ahead", "said"), [(600, "10 min ahead of"), (-90, "(89|90|91) s behind"), (-4 * 3600, "4 h behind")])
def test_a_clock_that_is_wrong_is_told(zoho: Zoho, run: Run, ahead: int, said: str) -> None:
    headers = {"Date": formatdate(time.time() - ahead, usegmt=True)}
    zoho.control.fault("status", "/settings/tags", status=200, body={"tags": [], "info": {}}, headers=headers)
    code, findings = run()
    assert (code, findings["clock"]["state"]) == (0, "warning")
    assert re.match(f"This machine's clock is {said} Zoho's", findings["clock"]["text"])


def test_a_connection_that_airflow_does_not_have(private: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    assert main(arguments_of()) == 1
    sentence = "Airflow has no connection zoho. To make it: python -m airflow_provider_zcrm connect zoho"
    assert sentence in capfd.readouterr().out


def test_a_field_that_is_wrong_is_named(run: Run) -> None:
    code, findings = run(environment="test")
    assert (code, list(findings)) == (1, ["connection"])
    assert "environment is 'test'" in findings["connection"]["text"]


def test_a_feature_that_does_not_exist_is_refused(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run()
    assert main(arguments_of("--features", "tags,everything")) == 2
    assert "the features are tags, records, backup, restore, org" in capfd.readouterr().err


def test_people_get_a_table(zoho: Zoho, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run()
    assert main(["check", "zoho"]) == 0
    said = capfd.readouterr()
    assert said.out == ""
    assert "✓  ZohoCRM.settings.tags.DELETE" in said.err
    assert said.err.endswith("All is well.\n")


def test_people_are_told_in_the_end_what_must_be_changed_and_no_scope_that_nobody_wants(
    zoho: Zoho, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    zoho.seed(scopes=["ZohoCRM.settings.modules.READ", "ZohoCRM.settings.tags.READ"])
    run()
    assert main(["check", "zoho"]) == 1
    said = capfd.readouterr().err
    assert said.endswith("Something must be changed: feature tags, ZohoCRM.settings.tags.DELETE.\n")
    assert "-  feature records" in said
    assert "-  ZohoCRM.mass_delete" not in said


def test_tokens_that_the_tasks_share_are_used_and_never_written(
    zoho: Zoho, run: Run, monkeypatch: pytest.MonkeyPatch, emulator: Control
) -> None:
    from airflow_provider_zcrm.hooks import token_stores

    shared: dict[str, str] = {}
    monkeypatch.setattr(token_stores, "get_variable", shared.get)
    monkeypatch.setattr(token_stores, "set_variable", lambda *_: pytest.fail("a check wrote a Variable"))
    assert run(shared_store="variable")[0] == 0
    assert run(shared_store="variable")[0] == 0
    assert zoho.tokens_issued() == 1


def test_an_old_token_in_the_store_of_the_tasks_does_not_make_each_check_cost_one(
    zoho: Zoho, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_zcrm.client import tokens
    from airflow_provider_zcrm.hooks import token_stores

    assert run()[0] == 0  # with the store "file", whose directory a check writes too
    (stored,) = (path for path in Path(os.environ["AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY"]).iterdir() if path.suffix != ".lock")
    shared = {stored.name: stored.read_text()}
    stored.unlink()
    monkeypatch.setattr(token_stores, "get_variable", shared.get)
    now = time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now + 4000)
    zoho.control.advance(4000)
    assert [run(shared_store="variable")[0] for _ in range(3)] == [0, 0, 0]
    assert zoho.tokens_issued() == 2


def test_a_configuration_that_is_wrong_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__REQUEST_TIMEOUT", "soon")
    code, findings = run()
    assert (code, list(findings)) == (1, ["connection"])
    assert "request_timeout" in findings["connection"]["text"]


HOSTILE = "evil\x1b[2J\x1b]0;owned\x07\r\nAll is well.x\n\x9b31m\u202e"


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/crm", 400, {"code": "SOMETHING_NEW", "status": "error", "message": HOSTILE, "details": {"x": HOSTILE}}),
        ("/org", 200, {"org": [{"zgid": HOSTILE, "company_name": HOSTILE}]}),
        ("/oauth", 200, {"error": HOSTILE}),
    ],
)
def test_what_a_server_says_cannot_steer_the_terminal(
    zoho: Zoho, run: Run, capfd: pytest.CaptureFixture[str], output: str, path: str, status: int, body: Any
) -> None:
    run()  # makes the connection
    forget_tokens()
    zoho.control.evict_access_tokens()
    zoho.control.fault("status", path, times=None, status=status, body=body)
    main(["check", "zoho", "--output", output])
    said = capfd.readouterr()
    shown = said.out + said.err
    assert path == "/oauth" or "evil" in shown
    assert [letter for letter in shown if not letter.isprintable() and letter != "\n"] == []
    assert "All is well.x" not in [line.strip() for line in shown.splitlines()]
