"""Answers on disk, one JSON line each, so that no question is asked twice.

A line is appended in one write and flushed, so a killed command leaves whole lines and at most a
torn last one, which is skipped. A line also holds the messages and parameters: it says how a label
came about.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from precompute.model_labels.prompts import Messages


@dataclass(frozen=True)
class Question:
    """All that an answer depends on."""

    model: str
    messages: Messages
    parameters: dict[str, Any]

    @property
    def key(self) -> str:
        """SHA-256 of model, messages and parameters."""
        content = json.dumps([self.model, self.messages, self.parameters], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def body(self) -> dict[str, Any]:
        """The request as the protocol has it."""
        return {"model": self.model, "messages": self.messages, **self.parameters}


class Answers:
    """The answers of one file; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        content = path.read_bytes()
        for line in content.splitlines():
            self._remember(line)
        if content and not content.endswith(b"\n"):
            self._append(b"\n")  # or the next line would be lost with the torn one

    def get(self, question: Question) -> str | None:
        """The answer to a question, None when it was never given."""
        return self._texts.get(question.key)

    def put(self, question: Question, text: str, tokens: int) -> None:
        """Keep an answer, on disk before this returns."""
        line = {"key": question.key, "answer": text, "tokens": tokens, **question.body}
        with self._lock:
            self._append(json.dumps(line).encode() + b"\n")
            self._texts[question.key] = text

    def close(self) -> None:
        self._file.close()

    def _append(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _remember(self, line: bytes) -> None:
        try:
            stored = json.loads(line)
            key, text = stored["key"], stored["answer"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if isinstance(key, str) and isinstance(text, str):
            self._texts[key] = text
