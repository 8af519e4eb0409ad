"""Texts are read one after another, remembered, and by one process that goes when it should."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backend import text_worker, torch_python
from backend.reading import Question, Token
from backend.text_worker import BUSY, MOST_REMEMBERED, Limits, NotEnabled, TextError, TextWorker
from tests.backend.asking import SOON, is_gone, question, running
from tests.stub_worker import ROOT, stub_python

Make = Callable[..., TextWorker]


def test_an_answer_is_read_and_remembered(make: Make) -> None:
    worker = make()
    reading = worker.read(question("We met Einstein"))
    # einstein is latent 0 and fires latent 1 half as much
    assert reading.tokens == (
        Token(0, 2, (), ()),
        Token(3, 6, (), ()),
        Token(7, 15, (0, 1), (1.0, 0.5)),
    )
    assert reading.latents == [0, 1]
    pid = running(worker)
    worker.stop()
    assert is_gone(pid)
    assert worker.read(question("We met Einstein")) is reading
    assert worker.pid is None  # nothing was started for it


def test_the_oldest_readings_are_forgotten(make: Make) -> None:
    worker = make()
    for number in range(MOST_REMEMBERED + 1):
        worker.read(question(f"text {number}"))
    assert worker.remembered(question("text 0")) is None
    assert worker.remembered(question("text 1")) is not None


def test_one_process_serves_all_texts_of_a_run_and_another_run_replaces_it(make: Make) -> None:
    worker = make()
    worker.read(question("a"))
    first = running(worker)
    worker.read(question("b"))
    assert worker.pid == first
    worker.read(question("b", short_hash="made again"))
    assert worker.pid != first
    assert is_gone(first)


def test_others_wait_for_their_turn_and_not_for_ever(make: Make) -> None:
    worker = make(Limits(start_seconds=SOON, answer_seconds=SOON, queue_seconds=0.2))
    worker.read(question("a"))
    slow = worker.start_reading(question("slow"))
    time.sleep(0.2)
    begun = time.monotonic()
    with pytest.raises(TextError) as caught:
        worker.read(question("berlin"))
    assert str(caught.value) == BUSY
    assert 0.1 < time.monotonic() - begun < 0.9
    assert slow.result(timeout=SOON).latents == [3]


def test_only_a_few_may_wait(make: Make) -> None:
    worker = make(Limits(start_seconds=SOON, answer_seconds=SOON, most_waiting=3))
    worker.read(question("a"))
    futures = [worker.start_reading(question("slow")), *map(worker.start_reading, _three())]
    # one is read, two wait for it, the last is sent away at once
    with pytest.raises(TextError) as caught:
        futures[3].result(timeout=0.5)
    assert str(caught.value) == BUSY
    assert [future.result(timeout=SOON).latents for future in futures[:3]] == [[3], [1], [3]]


def _three() -> list[Question]:
    return [question(word) for word in ("berlin", "paris", "darwin")]


def test_the_same_text_asked_at_once_is_read_once(make: Make) -> None:
    worker = make()
    worker.read(question("a"))
    futures = [worker.start_reading(question("slow")) for _ in range(4)]
    readings = {id(future.result(timeout=SOON)) for future in futures}
    assert len(readings) == 1


def test_an_idle_process_ends(make: Make) -> None:
    worker = make(Limits(start_seconds=SOON, answer_seconds=SOON, idle_seconds=0.3))
    worker.read(question("a"))
    first = running(worker)
    assert is_gone(first)
    assert worker.pid is None
    with pytest.raises(TextError):
        worker.read(question("refused"))  # an answer too, so this one becomes idle as well
    assert is_gone(running(worker))


def test_it_ends_with_the_app_even_when_that_is_killed(make: Make) -> None:
    make()
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from backend.reading import Question\n"
        "from backend.text_worker import WORKER\n"
        "WORKER.read(Question(Path('/nowhere/run'), 'abc', 'sae-32', 32, 'a'))\n"
        "print(WORKER.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as app:
        assert app.stdout is not None
        pid = int(app.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        app.kill()
    assert is_gone(pid)


def test_many_readers_leave_one_process_and_no_thread_behind(make: Make) -> None:
    worker = make(Limits(start_seconds=SOON, answer_seconds=SOON, most_waiting=40))
    futures = [worker.start_reading(question(f"paris {i}")) for i in range(30)]
    assert {tuple(future.result(timeout=SOON).latents) for future in futures} == {(3,)}
    assert worker.pid is not None
    worker.stop()
    deadline = time.monotonic() + SOON
    while any(thread.name.startswith("own-text") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_without_torch_it_says_so(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = make()
    monkeypatch.setenv(torch_python.VARIABLE, "/nowhere/python")
    with pytest.raises(NotEnabled, match="SUBATOMIC_TORCH_PYTHON names /nowhere/python"):
        worker.read(question("a"))
    monkeypatch.setattr(text_worker, "torch_python", lambda: None)
    monkeypatch.delenv(torch_python.VARIABLE)
    with pytest.raises(NotEnabled, match="no Python with torch was found"):
        worker.read(question("a"))
    monkeypatch.setattr(text_worker, "torch_python", lambda: "/nowhere/python")
    with pytest.raises(NotEnabled, match="/nowhere/python cannot be run: No such file"):
        worker.read(question("a"))


def test_the_named_python_comes_before_this_one_and_that_before_the_repositorys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = stub_python(tmp_path)
    monkeypatch.setattr(torch_python, "ROOT", tmp_path)
    monkeypatch.setattr(torch_python, "PACKAGE", "json")  # stands for a torch that is installed
    monkeypatch.setenv(torch_python.VARIABLE, str(named))
    assert torch_python.torch_python() == str(named)
    monkeypatch.delenv(torch_python.VARIABLE)
    assert torch_python.torch_python() == sys.executable

    monkeypatch.setattr(torch_python, "PACKAGE", "no_such_package")
    assert torch_python.torch_python() is None
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert torch_python.torch_python() is None  # an environment, but without the package
    package = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages" / "no_such_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert torch_python.torch_python() == str(own)
