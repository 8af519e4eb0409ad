"""What the trust stage keeps in its folder between tasks: matrices of directions, and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from precompute.writer import write_atomically


def matrix_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"


def save_matrix(folder: Path, name: str, matrix: torch.Tensor | np.ndarray) -> None:
    """Keep a matrix under a name; it is there whole or not at all."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a path, numpy would add a suffix
            np.save(file, np.asarray(matrix))

    write_atomically(matrix_path(folder, name), write)


def load_matrix(folder: Path, name: str) -> torch.Tensor:
    return torch.from_numpy(np.load(matrix_path(folder, name)))


def save_figures(path: Path, figures: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Keep figures as JSON; a task's figures come last and mark it complete."""
    text = json.dumps(figures, indent=2)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_figures(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
