"""What a request says about being sent again."""

from __future__ import annotations

import pytest

from airflow_provider_zcrm.api.call import ApiRequest


def test_a_get_may_be_repeated_without_saying_it() -> None:
    assert ApiRequest("GET", "org", scope="ZohoCRM.org.READ").may_repeat is True


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_not_a_get_must_say_whether_it_may_be_repeated(method: str) -> None:
    with pytest.raises(TypeError, match=f"{method} settings/tags must say may_repeat"):
        ApiRequest(method, "settings/tags", scope="ZohoCRM.settings.tags.ALL")


@pytest.mark.parametrize("may_repeat", [True, False])
def test_what_a_request_says_holds(may_repeat: bool) -> None:
    assert ApiRequest("POST", "settings/tags", scope="ZohoCRM.settings.tags.ALL", may_repeat=may_repeat).may_repeat is may_repeat
