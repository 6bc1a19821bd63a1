"""The body of an answer, plain and packed, whole and cut off, and never larger than a limit."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from airflow_provider_zcrm.api.errors import AnswerTooLarge, UnreadableResponse, ZohoCrmError
from airflow_provider_zcrm.client import answer_body
from airflow_provider_zcrm.client.answer_body import AnswerBody

TEXT = b'{"tags": []}' * 20


def body(encoding: str = "", *chunks: bytes) -> AnswerBody:
    found = AnswerBody(502, {"content-encoding": encoding}, "GET", "settings/tags", to_file=False)
    for chunk in chunks:
        found.add(chunk)
    return found


def names_the_call(error: ZohoCrmError) -> bool:
    return (error.status, error.method, error.path) == (502, "GET", "settings/tags")


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_is_put_together(encoding: str) -> None:
    assert body(encoding, b"ab", b"cd").response().body == b"abcd"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP ", "deflate"])
def test_a_packed_body_is_unpacked(encoding: str) -> None:
    packed = zlib.compress(TEXT) if encoding == "deflate" else gzip.compress(TEXT)

    assert body(encoding, packed[:9], packed[9:]).response().body == TEXT


def test_a_packed_body_without_content_is_empty() -> None:
    assert body("gzip").response().body == b""
    assert body("gzip", gzip.compress(b"")).response().body == b""


def test_a_packing_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(UnreadableResponse, match="packed as 'brrrrrrrrrrrrrrrrrrr'") as caught:
        body("BRRRRRRRRRRRRRRRRRRRRRRRRRRR")
    assert names_the_call(caught.value)


def test_what_is_not_packed_as_it_says_is_refused() -> None:
    with pytest.raises(UnreadableResponse, match="cannot be unpacked: Error -3") as caught:
        body("gzip", TEXT)
    assert names_the_call(caught.value)


def test_a_packed_body_that_was_cut_off_is_refused() -> None:
    packed = gzip.compress(TEXT)
    with pytest.raises(UnreadableResponse, match="cut off") as caught:
        body("gzip", packed[:-4]).response()
    assert names_the_call(caught.value)


@pytest.mark.parametrize("chunks", [[b"abcd", b"efgh"], [b"abcdefgh"]])
def test_a_body_may_be_as_large_as_the_limit(chunks: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_body, "LARGEST", 8)

    assert body("", *chunks).response().body == b"abcdefgh"
    assert body("gzip", gzip.compress(b"".join(chunks))).response().body == b"abcdefgh"


@pytest.mark.parametrize("chunks", [[b"abcd", b"efghi"], [b"abcdefghi"], [b"a"] * 9])
def test_a_body_that_is_larger_is_refused_also_unpacked(chunks: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_body, "LARGEST", 8)

    for found in (lambda: body("", *chunks), lambda: body("gzip", gzip.compress(b"".join(chunks)))):
        with pytest.raises(AnswerTooLarge) as caught:
            found()
        assert names_the_call(caught.value)


def test_of_a_packed_body_no_more_than_the_limit_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_body, "LARGEST", 1024**2)
    packed = gzip.compress(bytes(8 * 1024**2))  # 8 KiB
    tracemalloc.start()
    try:
        with pytest.raises(AnswerTooLarge, match="larger than 1 MiB"):
            body("gzip", packed)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 4 * 1024**2
