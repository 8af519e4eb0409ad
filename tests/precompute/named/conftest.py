"""Word means of the reduced run, in files, and a run with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from backend.schema import TABLES
from precompute.textcache import stored_text
from tests.precompute.command_line import Attempts, Done, making

N_DIRECTIONS = 60
SECTION = """
[[directions]]
name = "word-means"
path = "{path}"
decomposed_by = "own"
firing_share = 0.02
licence = "CC0 <b>1.0</b>"
source = "means of the reduced run"

[[directions]]
name = "probes"
path = "{path}"
firing_share = 0.01
licence = "CC0"
"""


@dataclass(frozen=True)
class Given:
    """Names and rows as a file is to hold them."""

    names: list[str]
    rows: np.ndarray


@dataclass(frozen=True)
class NamedRun:
    """A run with directions, the folder with its `out` and `work`, and its tables."""

    folder: Path
    config: Path
    tables: dict[str, list[dict[str, Any]]]

    def of(self, table: str, sae_id: str) -> list[dict[str, Any]]:
        """Rows of a table about one SAE, in order."""
        return [row for row in self.tables[table] if row["sae_id"] == sae_id]

    def sae(self, sae_id: str) -> dict[str, Any]:
        return self.of("saes", sae_id)[0]

    def figures(self, subject: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Rows of `measurements` about one subject by setting and metric."""
        return {
            (row["setting"], row["metric"]): row
            for row in self.tables["measurements"]
            if row["subject"] == subject
        }


def save_npz(path: Path, given: Given) -> None:
    np.savez(path, names=np.array(given.names, str), directions=given.rows)


def save_safetensors(path: Path, given: Given) -> None:
    save_file(
        {"directions": torch.from_numpy(given.rows)}, path, {"names": json.dumps(given.names)}
    )


def save_with_lines(path: Path, given: Given) -> None:
    save_file({"directions": torch.from_numpy(given.rows)}, path)
    path.with_suffix(".txt").write_text("\n".join(given.names) + "\n", encoding="utf-8")


def save_lists(path: Path, given: Given) -> None:
    pq.write_table(pa.table({"name": given.names, "direction": list(given.rows)}), path)


def save_fixed_lists(path: Path, given: Given) -> None:
    flat = pa.array(given.rows.ravel())
    fixed = pa.FixedSizeListArray.from_arrays(flat, given.rows.shape[1])
    pq.write_table(pa.table({"direction": fixed, "name": given.names}), path)


def save_columns(path: Path, given: Given) -> None:
    columns = {f"d{i}": column for i, column in enumerate(given.rows.T)}
    pq.write_table(pa.table({"name": given.names, **columns}), path)


SAVERS: dict[str, tuple[str, Callable[[Path, Given], None]]] = {
    "npz": ("directions.npz", save_npz),
    "safetensors": ("directions.safetensors", save_safetensors),
    "safetensors and text": ("directions.safetensors", save_with_lines),
    "parquet, lists": ("directions.parquet", save_lists),
    "parquet, fixed lists": ("directions.parquet", save_fixed_lists),
    "parquet, columns": ("directions.parquet", save_columns),
}


@pytest.fixture(scope="session")
def word_means(reduced_run: Path) -> Given:
    """Mean activation of frequent words less the mean, not of unit length."""
    work = reduced_run / "work" / "reduced"
    (text_folder,), (activations,) = (work.glob(name) for name in ("text-*", "activations-*"))
    text = stored_text(text_folder)
    rows = np.load(activations / "train.npy").astype(np.float32)
    words = text.word_ids[text.row_tokens("train")]
    counts = np.bincount(words[words >= 0], minlength=len(text.words))
    frequent = np.argsort(-counts, kind="stable")[:N_DIRECTIONS]
    means = np.stack([rows[words == word].mean(0) for word in frequent]) - rows.mean(0)
    names = [text.words[word] for word in frequent]
    # not a word of the text, written as people write, and hostile
    names[0], names[1], names[2] = "Sentiment: <script>", names[1].upper(), "мир 🙂"
    return Given(names, means)


def make_named_run(
    attempts: Attempts, folder: Path, reduced: tuple[Path, Path], path: Path, section: str = SECTION
) -> Done:
    """The reduced run with directions in `folder`: its suite is there already."""
    made, config = reduced
    if not (folder / "work").exists():
        shutil.copytree(made / "work" / "reduced", folder / "work" / "named")
    text = config.read_text(encoding="utf-8") + section.format(path=path)
    (folder / "named.toml").write_text(text, encoding="utf-8")
    return attempts(*making(folder / "named.toml", folder))


@pytest.fixture(scope="session")
def named_run(
    tmp_path_factory: pytest.TempPathFactory,
    attempts: Attempts,
    reduced_run: Path,
    reduced_config: Path,
    word_means: Given,
) -> NamedRun:
    folder = tmp_path_factory.mktemp("named")
    save_npz(folder / "directions.npz", word_means)
    path = folder / "directions.npz"
    done = make_named_run(attempts, folder, (reduced_run, reduced_config), path)
    assert done.code == 0, done.log
    out = folder / "out" / "named"
    tables = {name: pq.read_table(out / f"{name}.parquet").to_pylist() for name in TABLES}
    return NamedRun(folder, folder / "named.toml", tables)
