"""`python -m precompute label` with servers, models and options that are not as they should be."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from precompute.model_labels import asking
from tests.planted import META
from tests.precompute.model_labels.chat_server import Asked, Reply, completion, serving
from tests.precompute.model_labels.label_place import N_META, first_token

KEY = "sk-very-secret"
SECOND_TRY = "That was not a label"


@pytest.mark.parametrize(
    "hostile",
    [
        "line\nbreak",
        "x" * 10_000,
        "bell\x07 and \x1b[31m",
        "over\u202eride",
        "<img src=x onerror=alert(1)>",
        "",
    ],
)
def test_a_hostile_answer_is_asked_for_once_more_and_then_recorded_as_failed(
    place, caplog, hostile
):
    def answer(_number: int, asked: Asked) -> Reply:
        # only about berlin's meta-latent `city`, so that the others show what is good
        return completion(hostile if "paris" in asked.prompt else "good")

    with serving(answer) as server, caplog.at_level(logging.INFO):
        assert place.label(server) == 0
        about = [asked for asked in server.asked if "paris" in asked.prompt]
        assert [SECOND_TRY in asked.prompt for asked in about] == [False, True]
        assert place.labels() == {(META, latent): "good" for latent in range(3)}
        assert "1 without a label:" in caplog.text
        assert place.label(server) == 0
        assert len(server.asked) == N_META + 1


def test_a_second_answer_that_is_good_is_taken(place):
    def answer(_number: int, asked: Asked) -> Reply:
        return completion("good" if SECOND_TRY in asked.prompt else "far too many words in a label")

    with serving(answer) as server:
        assert place.label(server) == 0
    assert set(place.labels().values()) == {"good"}
    assert len(server.asked) == 2 * N_META


def test_nothing_in_common_gives_no_label(place, caplog):
    with serving(lambda *_: completion("unclear")) as server, caplog.at_level(logging.INFO):
        assert place.label(server) == 0
    assert not place.file.exists()
    assert "4 without a label: the model found nothing in common" in caplog.text


def test_a_busy_server_is_waited_for(place, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT", 0.01)
    failures = [
        Reply(b"", 429, {"Retry-After": "0.1"}),
        Reply(b"", 500),
        Reply(b"<html>", 503),
    ]

    def answer(number: int, asked: Asked) -> Reply:
        return failures[number] if number < len(failures) else first_token(number, asked)

    begin = time.monotonic()
    with serving(answer) as server:
        assert place.label(server, "--concurrency", "1") == 0
    assert time.monotonic() - begin >= 0.1
    assert len(place.labels()) == N_META
    assert len(server.asked) == N_META + 3


def test_a_server_that_is_too_slow_for_one_prompt_is_asked_again(place, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT", 0.01)
    held = threading.Event()

    def answer(number: int, asked: Asked) -> Reply:
        reply = first_token(number, asked)
        return Reply(reply.body, hold=held) if number == 0 else reply

    with serving(answer) as server:
        assert place.label(server, "--timeout", "1") == 0
        held.set()
    assert len(place.labels()) == N_META


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"<html>Welcome</html>"), "usually ends in /v1"),
        (Reply(b'{"ok": true}'), "does not answer with a completion"),
        (Reply(b"{}", 401), "Set SUBATOMIC_API_KEY"),
        (Reply(b"{}", 404), "Is the address right"),
        (Reply(b"unknown parameter", 400), "prompts in a row"),
    ],
)
def test_a_server_that_cannot_be_used_ends_the_command_with_what_was_labelled(
    place, caplog, reply, told
):
    """The first two answers are good: they are kept, and the command says how to go on."""

    def answer(number: int, asked: Asked) -> Reply:
        return first_token(number, asked) if number < 2 else reply

    with serving(answer) as server:
        assert place.label(server, "--what", "latents", "--concurrency", "1") == 1
    assert len(place.labels()) == 2
    assert told in caplog.text
    assert "The same command goes on where it stopped" in caplog.text
    assert len(server.asked) <= 2 + asking.MOST_FAILURES


def test_one_prompt_that_is_refused_does_not_stop_the_others(place, caplog):
    def answer(number: int, asked: Asked) -> Reply:
        return Reply(b"filtered", 400) if "paris" in asked.prompt else first_token(number, asked)

    with serving(answer) as server, caplog.at_level(logging.INFO):
        assert place.label(server) == 0
    assert len(place.labels()) == N_META - 1
    assert "no answer" in caplog.text
    assert "1 latents are left" in caplog.text


def test_the_key_is_in_the_header_and_in_no_file_or_message(place, caplog, capfd, monkeypatch):
    monkeypatch.setenv("SUBATOMIC_API_KEY", KEY)

    def answer(number: int, asked: Asked) -> Reply:
        reply = first_token(number, asked)
        return reply if number < 2 else Reply(f"wrong key {KEY}".encode(), 401 if number else 500)

    with serving(answer) as server, caplog.at_level(logging.DEBUG):
        assert place.label(server, "--concurrency", "1") == 1
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert place.file in files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    out, err = capfd.readouterr()
    assert KEY not in caplog.text + out + err
    assert "[key]" in caplog.text


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--endpoint", "file:///etc/passwd"], "--endpoint needs an address"),
        (["--model", "a\nb"], "--model needs a name"),
        (["--parameters", "[1]"], "--parameters needs an object"),
        (["--parameters", "{"], "--parameters is not JSON"),
        (["--parameters", '{"stream": true}'], "--parameters needs an object"),
        (["--sae", "sae-9"], "has nothing of the kind to label; it has"),
    ],
)
def test_a_wrong_option_is_said_and_nothing_is_sent(place, caplog, more, told):
    with serving(first_token) as server:
        assert place.label(server, *more) == 1
    assert told in caplog.text
    assert server.asked == []


def test_a_label_file_that_cannot_be_kept_is_found_before_anything_is_sent(place, caplog):
    place.file.write_bytes(b"sae_id,latent,label\nsae-8,1,caf\xe9\n")
    with serving(first_token) as server:
        assert place.label(server) == 1
    assert server.asked == []
    assert "no label is added to it" in caplog.text
