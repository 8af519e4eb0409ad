"""Readers' texts, read one after another by a process that runs the language model.

The app starts `python -m precompute.own_text` when the first text comes (the protocol is in that
module). Nothing it does can hold up or harm the app: it has a limit of memory, every answer has a
limit of time, and only a few may wait. A process that is late, ends, or answers nonsense is
killed, the reader is told, and the next text starts a new one. It is ended when it has been idle
for some minutes, and ends by itself when the app does.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from backend.reading import Question, Reading, parse_reading
from backend.torch_python import VARIABLE, torch_python
from backend.worker_process import (
    MEMORY_VARIABLE,
    NO_ANSWER,
    NotEnabled,
    ProcessFailed,
    TextError,
    WorkerProcess,
)

log = logging.getLogger(__name__)

MODULE = "precompute.own_text"
MOST_REMEMBERED = 64  # readings, of about 0.1 MB
BUSY = "Other texts are being read. Try again in some seconds."


@dataclass(frozen=True)
class Limits:
    """What the process may use; seconds of wall clock."""

    memory_gib: float = 4.0
    start_seconds: float = 60.0
    answer_seconds: float = 20.0
    queue_seconds: float = 20.0
    idle_seconds: float = 300.0
    most_waiting: int = 8


class TextWorker:
    """Starts, asks and ends the process, and remembers its last answers."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(memory_gib=_memory_gib())
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(self.limits.most_waiting)
        self._process: WorkerProcess | None = None
        self._idle: threading.Timer | None = None
        self._readings: OrderedDict[Question, Reading] = OrderedDict()
        self._readings_lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process that is running; None when there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive else None

    def remembered(self, question: Question) -> Reading | None:
        """The reading of a text that was read before and not long ago."""
        with self._readings_lock:
            if question in self._readings:
                self._readings.move_to_end(question)
            return self._readings.get(question)

    def start_reading(self, question: Question) -> Future[Reading]:
        """As `read`, in a thread of its own, so that a page can stop waiting and be left."""
        future: Future[Reading] = Future()

        def work() -> None:
            try:
                future.set_result(self.read(question))
            except TextError as error:
                future.set_exception(error)

        # a daemon: the app may end while a model loads
        threading.Thread(target=work, name="own-text", daemon=True).start()
        return future

    def read(self, question: Question) -> Reading:
        """What an SAE makes of a text, as `clean_text` leaves it.

        Raises:
            NotEnabled: no Python with all that is needed.
            TextError: busy, too slow, ended, or the model cannot be loaded.
        """
        known = self.remembered(question)
        if known is not None:
            return known
        if not self._waiting.acquire(blocking=False):
            raise TextError(BUSY)
        try:
            if not self._turn.acquire(timeout=self.limits.queue_seconds):
                raise TextError(BUSY)
            try:
                known = self.remembered(question)  # two readers, one link
                return known or self._ask(question)
            finally:
                self._turn.release()
        finally:
            self._waiting.release()

    def stop(self) -> None:
        """End the process, if there is one; the next text starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def _ask(self, question: Question) -> Reading:
        if self._idle is not None:
            self._idle.cancel()
        try:
            process = self._running(question)
            request = {"sae_id": question.sae_id, "text": question.text}
            body = process.ask(request, self.limits.answer_seconds)
            self._end_when_idle()
            if isinstance(body.get("error"), str):
                raise TextError(f"{body['error']}.")
            reading = parse_reading(body, question)
        except ProcessFailed as error:
            self.stop()
            raise error.told from error
        except ValueError as error:
            self.stop()
            log.warning("the worker for readers' text answered what is no reading: %s", error)
            raise TextError(NO_ANSWER) from error
        with self._readings_lock:
            self._readings[question] = reading
            while len(self._readings) > MOST_REMEMBERED:
                self._readings.popitem(last=False)
        return reading

    def _running(self, question: Question) -> WorkerProcess:
        """The process that has this run loaded; one for another run, or a dead one, is replaced."""
        run = f"{question.folder}#{question.short_hash}"
        if self._process is not None and self._process.is_alive and self._process.run == run:
            return self._process
        self.stop()
        python = torch_python()
        if python is None:
            named = os.environ.get(VARIABLE)
            raise NotEnabled(
                f"{VARIABLE} names {named}, which is no program that can be run."
                if named
                else "Reading text needs torch, and no Python with torch was found."
            )
        command = [python, "-m", MODULE, str(question.folder)]
        self._process = process = WorkerProcess(command, run, self.limits.memory_gib)
        hello = process.line(self.limits.start_seconds, "Loading the language model")
        if isinstance(hello.get("error"), str):
            told = TextError(f"The language model of this run cannot be used: {hello['error']}.")
            raise ProcessFailed(told)
        if "ready" not in hello:
            raise ProcessFailed(TextError(NO_ANSWER))
        return process

    def _end_when_idle(self) -> None:
        self._idle = threading.Timer(self.limits.idle_seconds, self._end_idle)
        self._idle.daemon = True
        self._idle.start()

    def _end_idle(self) -> None:
        if self._turn.acquire(blocking=False):  # else it is not idle
            try:
                self.stop()
            finally:
                self._turn.release()


def _memory_gib() -> float:
    with suppress(ValueError):
        return max(0.5, float(os.environ.get(MEMORY_VARIABLE, "")))
    return Limits.memory_gib


WORKER = TextWorker()
"""The one of this app process."""
