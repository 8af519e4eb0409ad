"""`python -m precompute label` and `labels` over the planted run and a real local server."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from backend.edited_labels import read_labels
from precompute.__main__ import main
from precompute.model_labels import labelling
from precompute.model_labels.evidence import sae_rows
from tests.planted import META, PLANTED, WIDE
from tests.precompute.command_line import ENVIRONMENT, ROOT
from tests.precompute.model_labels.chat_server import TOKENS, Asked, Reply, serving
from tests.precompute.model_labels.label_place import N_META, Place, first_token

N_LATENTS = 8 + 31  # of sae-8 all, of sae-32 all but the dead one
N_PROMPTS = N_LATENTS - 1  # "einstein" is latent 0 of both, with the same evidence


def test_every_meta_latent_gets_a_label_in_the_file_and_the_run_stays(place, caplog):
    before = {path.name: path.read_bytes() for path in place.run.iterdir()}
    with serving(first_token) as server, caplog.at_level(logging.INFO):
        assert place.label(server) == 0
    # the strongest members: zweistein (0.8), curie (0.9), eagle (0.8), paris (0.9)
    assert place.labels() == {
        (META, 0): "label zweistein",
        (META, 1): "label curie",
        (META, 2): "label eagle",
        (META, 3): "label paris",
    }
    assert {path.name: path.read_bytes() for path in place.run.iterdir()} == before
    body = server.asked[0].body
    assert body["model"] == "planted-model"
    assert (body["temperature"], body["max_tokens"]) == (0, 64)
    assert "4 labels are in" in caplog.text
    assert f"used: 4 requests, {4 * TOKENS} tokens" in caplog.text
    assert "planted-model" in place.file.read_text()
    note = place.file.read_text().splitlines()[1].split(",")[5].removeprefix("answer ")
    assert f'"key": "{note}' in place.answers.read_text()  # the prompt behind a label


def test_the_same_command_again_asks_nothing_and_changes_nothing(place):
    with serving(first_token) as server:
        assert place.label(server, "--what", "both") == 0
        once = place.file.read_bytes()
        assert len(server.asked) == N_META + N_PROMPTS
        assert place.label(server, "--what", "both") == 0
        assert len(server.asked) == N_META + N_PROMPTS
    assert place.file.read_bytes() == once


def test_many_at_a_time_give_the_same_file_as_one_after_the_other(place):
    def slow_for_some(number: int, asked: Asked) -> Reply:
        time.sleep(0.03 * (number % 3))
        return first_token(number, asked)

    files = []
    for concurrency in ("1", "8"):
        with serving(slow_for_some) as server:
            more = ["--what", "both", "--concurrency", concurrency]
            assert place.label(server, *more, "--out", str(place.folder / "out.csv")) == 0
        assert Counter(asked.prompt for asked in server.asked).most_common(1)[0][1] == 1
        files.append((place.folder / "out.csv").read_bytes())
        (place.folder / "out.csv").unlink()
        shutil.rmtree(place.folder / "work")
    assert files[0] == files[1]


def test_a_killed_command_goes_on_and_repeats_no_answered_prompt(place):
    """`kill -9` while four requests wait for a server that has answered ten and no more."""
    held = threading.Event()

    def answer(number: int, asked: Asked) -> Reply:
        reply = first_token(number, asked)
        return reply if number < 10 else Reply(reply.body, hold=held)

    with serving(answer) as server:
        command = [sys.executable, "-m", "precompute"]
        command += place.arguments(server, "--what", "latents")
        process = subprocess.Popen(
            command, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 60
            while len(server.asked) < 14 or place.answers.read_bytes().count(b"\n") < 10:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        answered = [asked.prompt for asked in server.replied]
        assert len(answered) == 10
        assert not place.file.exists()
        held.set()
    with serving(first_token) as again:
        assert place.label(again, "--what", "latents") == 0
    assert not {asked.prompt for asked in again.asked} & set(answered)
    assert len(again.asked) == N_PROMPTS - 10
    resumed = place.file.read_bytes()
    shutil.rmtree(place.folder / "work")
    place.file.unlink()
    with serving(first_token) as undisturbed:
        assert place.label(undisturbed, "--what", "latents") == 0
    assert place.file.read_bytes() == resumed


@pytest.mark.parametrize("limit", [["--max-requests", "5"], ["--max-tokens", "1200"]])
def test_a_used_budget_stops_cleanly_says_what_is_left_and_goes_on(place, caplog, limit):
    with serving(first_token) as server, caplog.at_level(logging.INFO):
        assert place.label(server, "--what", "latents", *limit) == 0
        sent = len(server.asked)
        assert 2 < sent < N_PROMPTS
        if limit[0] == "--max-requests":
            assert sent == 5
        assert sent * TOKENS <= 1200
        assert len(place.labels()) == sent + 1  # one prompt is about two latents
        left = N_LATENTS - sent - 1
        assert f"the budget is used: {left} latents are left. Give the same" in caplog.text
        assert place.label(server, "--what", "latents") == 0
        assert len(server.asked) == N_PROMPTS
    assert len(place.labels()) == N_LATENTS


def test_labels_by_people_stay_and_are_not_asked_about(place, caplog):
    rows = f'sae_id,latent,label,colour\n{META},1,"by hand",red\n'
    place.file.write_text(rows)
    with serving(first_token) as server, caplog.at_level(logging.INFO):
        assert place.label(server) == 0
    assert len(server.asked) == N_META - 1
    assert "1 are labelled by people and not asked about" in caplog.text
    assert f"{META},1,by hand,red" in place.file.read_text()
    found = read_labels(place.file, sae_rows(place.run)).labels
    assert [one.source for one in found] == ["model", "person", "model", "model"]


def test_limit_takes_those_that_fire_most_often_and_sae_those_of_one(place):
    with serving(first_token) as server:
        assert place.label(server, "--sae", WIDE, "--limit", "2") == 0
    # latent 29 fires on 60,000 tokens, 9 (erfurt) on 1,000, all others on less than 101
    assert set(place.labels()) == {(WIDE, 29), (WIDE, list(PLANTED).index("erfurt"))}


def test_parameters_are_added_and_null_takes_one_away(place):
    more = ["--parameters", '{"max_tokens": null, "max_completion_tokens": 9}', "--limit", "1"]
    with serving(first_token) as server:
        assert place.label(server, *more) == 0
    body = server.asked[0].body
    assert {"temperature": 0, "max_completion_tokens": 9}.items() <= body.items()
    assert "max_tokens" not in body


def test_a_dry_run_shows_a_prompt_and_sends_nothing(place, capsys, caplog):
    with serving(first_token) as server, caplog.at_level(logging.INFO):
        assert place.label(server, "--dry-run") == 0
    assert "It is a part of these elements" in capsys.readouterr().out
    assert "4 prompts of" in caplog.text
    assert server.asked == []
    assert not place.file.exists()


def _check(place: Place, *more: str) -> int:
    return main(["labels", str(place.run), *more])


def test_labels_prints_what_is_applied(place, capsys, caplog):
    with serving(first_token) as server:
        assert place.label(server) == 0
    with caplog.at_level(logging.INFO):
        assert _check(place) == 0
    assert f"{META}\t0\tlabel zweistein\tmodel\n" in capsys.readouterr().out
    assert "4 labels of" in caplog.text


def test_labels_ends_with_1_and_every_problem(place, capsys, caplog):
    place.file.write_text(f"sae_id,latent,label\nsae-9,0,x\n{META},0,good\n{META},9,x\n")
    assert _check(place) == 1
    assert capsys.readouterr().out == f"{META}\t0\tgood\tperson\n"
    assert 'line 2: this run has no SAE "sae-9"' in caplog.text
    assert "line 4: no such latent" in caplog.text


def test_labels_without_a_file_says_so(place, caplog):
    with caplog.at_level(logging.INFO):
        assert _check(place) == 0
    assert f"there is no label file {place.file}" in caplog.text


def test_ctrl_c_keeps_what_was_answered(place, monkeypatch, caplog):
    """The third answer arrives with Ctrl-C; labels known by then are in the file."""
    real = labelling.as_completed

    def interrupted(futures):
        for place_, future in enumerate(real(futures)):
            if place_ == 2:
                raise KeyboardInterrupt
            yield future

    monkeypatch.setattr(labelling, "as_completed", interrupted)
    with serving(first_token) as server, caplog.at_level(logging.INFO):
        assert place.label(server, "--what", "latents", "--concurrency", "1") == 130
    n_known = sum(bool(line) for line in place.answers.read_text().splitlines())
    assert 2 <= n_known == len(server.asked) < N_PROMPTS
    assert n_known <= len(place.labels()) <= n_known + 1
    assert "stopping: waiting for the answers on their way" in caplog.text
