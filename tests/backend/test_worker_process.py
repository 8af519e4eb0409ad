"""A worker that is killed, hangs, eats memory or talks nonsense costs its reader a message only.

The worker here is `tests/stub_worker.py`, a real process with the same protocol; the real one is
in `tests/precompute/test_own_text.py`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from backend.text_worker import Limits, NotEnabled, TextError, TextWorker
from backend.worker_process import NO_ANSWER
from tests.backend.asking import QUICK, SOON, is_gone, question, running

LATE = Limits(start_seconds=1.5, answer_seconds=1.5, queue_seconds=SOON)

Make = Callable[..., TextWorker]


def test_after_kill_9_the_next_text_starts_a_new_process(make: Make) -> None:
    worker = make()
    worker.read(question("a"))
    first = running(worker)
    os.kill(first, signal.SIGKILL)
    assert is_gone(first)  # waited for, without anybody asking
    assert worker.pid is None
    assert worker.read(question("berlin")).latents == [1]
    assert running(worker) != first


def test_killed_in_the_middle_of_an_answer_it_tells_the_reader(make: Make) -> None:
    worker = make()
    worker.read(question("a"))
    future = worker.start_reading(question("hangs"))
    os.kill(running(worker), signal.SIGKILL)
    with pytest.raises(TextError, match=r"ended \(code -9\). Try again"):
        future.result(timeout=SOON)
    assert worker.read(question("berlin")).latents == [1]


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "deep",
        "endless line",
        "flood",
        "no object",
        "no tokens",
        "other id",
        "outside",
        "backwards",
        "no such latent",
        "negative latent",
        "infinite",
        "not a number",
        "uneven",
        "too few",
    ],
)
def test_nonsense_ends_the_process_with_a_plain_message(make: Make, text: str) -> None:
    worker = make()
    worker.read(question("a"))
    first = running(worker)
    if text == "flood":
        worker.read(question(text))  # its first line is an answer; the others were not asked for
        assert is_gone(first)
    else:
        with pytest.raises(TextError) as caught:
            worker.read(question(text))
        assert str(caught.value) == NO_ANSWER
        assert worker.pid is None
    assert is_gone(first)
    assert worker.read(question("berlin")).latents == [1]


def test_a_late_answer_is_not_waited_for(make: Make) -> None:
    worker = make(LATE)
    worker.read(question("a"))
    first = running(worker)
    begun = time.monotonic()
    with pytest.raises(TextError, match=r"Reading the text took longer than 1\.5 s"):
        worker.read(question("hangs"))
    assert time.monotonic() - begun < SOON
    assert is_gone(first)
    assert worker.read(question("berlin")).latents == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set on Linux")
def test_memory_is_limited(make: Make) -> None:
    worker = make(Limits(memory_gib=0.5, start_seconds=SOON, answer_seconds=SOON))
    with pytest.raises(TextError, match=r"needs more than the 0\.5 GiB of memory"):
        worker.read(question("eats memory"))
    assert worker.read(question("berlin")).latents == [1]


def test_its_log_cannot_fill_the_disk(make: Make) -> None:
    worker = make()
    with pytest.raises(TextError, match="ended"):
        worker.read(question("fills the log"))


@pytest.mark.parametrize(
    ("folder", "kind", "words"),
    [
        ("refuses", TextError, "cannot be used: package all-minilm is missing."),
        ("lacks", NotEnabled, "has no package transformers."),
        ("hangs", TextError, "Loading the language model took longer than 1.5 s"),
        ("babbles", TextError, "no proper answer"),
        ("other", TextError, "no proper answer"),
    ],
)
def test_a_start_that_fails_says_why(
    make: Make, folder: str, kind: type[TextError], words: str
) -> None:
    worker = make(LATE if folder == "hangs" else QUICK)
    with pytest.raises(kind) as caught:
        worker.read(question("a", folder))
    assert words in str(caught.value)
    assert worker.pid is None
    assert worker.read(question("berlin")).latents == [1]


def test_a_refused_text_does_not_end_the_process(make: Make) -> None:
    worker = make()
    with pytest.raises(TextError, match="keeps no encoders of sae-8"):
        worker.read(question("refused"))
    assert worker.pid is not None
