"""A copy of the planted run, the command that labels it, and a model that reads its prompts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from backend.edited_labels import read_labels
from precompute.__main__ import main
from precompute.model_labels.evidence import sae_rows
from tests.precompute.model_labels.chat_server import Asked, ChatServer, Reply, completion

N_META = 4


@dataclass(frozen=True)
class Place:
    """A copy of the planted run and what commands leave around it."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "data" / "planted"

    @property
    def file(self) -> Path:
        return self.folder / "data" / "planted.labels.csv"

    @property
    def answers(self) -> Path:
        return self.folder / "work" / "labels-planted" / "answers.jsonl"

    def arguments(self, server: ChatServer, *more: str) -> list[str]:
        work = str(self.folder / "work")
        given = ["--endpoint", server.address, "--model", "planted-model", "--work", work]
        return ["label", str(self.run), *given, *more]

    def label(self, server: ChatServer, *more: str) -> int:
        return main(self.arguments(server, *more))

    def labels(self) -> dict[tuple[str, int], str]:
        found = read_labels(self.file, sae_rows(self.run))
        assert found.problems == ()
        return {(one.sae_id, one.latent): one.label for one in found.labels}


def first_token(_place: int, asked: Asked) -> Reply:
    """The label of a model that reads the prompt: what stands in the first [[ ]]."""
    found = re.search(r"\[\[(\w+)\]\]", asked.prompt)
    return completion(f"label {found[1]}" if found else "no text")
