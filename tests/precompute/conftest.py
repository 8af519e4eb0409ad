"""One thread for torch, the two random models, a small text, and one real run of the tiny config."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from precompute.config import ModelConfig
from precompute.sources import LanguageModel, load_language_model
from tests.precompute.small_text import documents, write_small_text

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "precompute" / "configs" / "tiny.toml"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two threads on one small product wait for each other more than they work."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def language_models() -> dict[str, LanguageModel]:
    """The random encoder `bert` and the random causal model `gpt2`, both with two blocks."""
    return {
        kind: load_language_model(ModelConfig(source=f"random:{kind}", layer=1))
        for kind in ("bert", "gpt2")
    }


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small text, as `--text` names one."""
    folder = tmp_path_factory.mktemp("text")
    write_small_text(folder)
    return folder


@pytest.fixture(scope="session")
def small_documents() -> list[str]:
    """The documents of `text_folder`, in order."""
    return documents()


@dataclass(frozen=True)
class CommandLine:
    """`python -m precompute` on folders of its own."""

    out: Path
    work: Path

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one command; `run` gets this object's folders."""
        words = [str(argument) for argument in arguments]
        if words[0] == "run":
            words += ["--out", str(self.out), "--work", str(self.work), "--workers", "1"]
        return subprocess.run(
            [sys.executable, "-m", "precompute", *words],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The tiny config made once, at `out/tiny`; a test that damages it works on a copy."""
    folder = tmp_path_factory.mktemp("tiny")
    command = CommandLine(folder / "out", folder / "work")
    done = command("run", TINY, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    return command
