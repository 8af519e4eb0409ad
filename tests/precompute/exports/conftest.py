"""The planted run with real weights, real tokens and labels that break lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from precompute.__main__ import main
from precompute.dictionary import Dictionary
from precompute.directions import decoder_sha256, direction_table
from precompute.sources import LanguageModel
from tests.planted import META, SMALL, WIDE
from tests.precompute.exports.changed_run import (
    changed_run,
    random_dictionary,
    table_of,
    with_column,
)

CONFIG = """
title = "planted"
[model]
source = "random:bert"
layer = 1
context_size = 64
"""
BREAKING = ("two\nlines", "a\u2028b\u0085c", "nul\x00", 'quote " and \\', "\u202eabc", "🙂")
Export = Callable[..., Path]


@dataclass(frozen=True)
class Weighted:
    """A run, and the exact weights of its SAEs by id."""

    run: Path
    weights: dict[str, Dictionary]

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of a statement in which `{name}` stands for a table of the run."""
        places = {path.stem: f"'{path}'" for path in self.run.glob("*.parquet")}
        return duckdb.connect().execute(question.format(**places)).fetchall()


@pytest.fixture(scope="session")
def weighted(
    tmp_path_factory: pytest.TempPathFactory,
    fixture_run: Path,
    language_models: dict[str, LanguageModel],
) -> Weighted:
    """The planted run: `meta-4` splits the decoder rows of `sae-32`, both with random weights.

    As in a real run `directions` has both in 8 bits and nothing of `sae-8`, and contexts have the
    tokens of the model that the config names.
    """
    sae, small = random_dictionary(32, 6, 1), random_dictionary(8, 6, 2)
    weights = {WIDE: sae, SMALL: small, META: random_dictionary(4, 6, 3)}
    saes, latents = table_of(fixture_run, "saes"), table_of(fixture_run, "latents")
    ids = saes["sae_id"].to_pylist()
    hashes = [decoder_sha256(weights[sae_id]) for sae_id in ids]
    biases = [weights[sae_id].b_dec.tolist() for sae_id in ids]
    names, is_wide = latents["label"].to_pylist(), np.asarray(latents["sae_id"]) == WIDE
    for place, text in zip(np.flatnonzero(is_wide)[2:], BREAKING, strict=False):
        names[place] = text
    model = language_models["bert"]
    tables = {
        "saes": with_column(
            with_column(with_column(saes, "decoder_sha256", hashes), "decoder_bias", biases),
            "threshold",
            [weights[sae_id].threshold for sae_id in ids],
        ),
        "latents": with_column(latents, "label", names),
        "directions": pa.concat_tables([direction_table(i, weights[i]) for i in (WIDE, META)]),
        "contexts": _tokenised(table_of(fixture_run, "contexts"), model),
    }
    folder = tmp_path_factory.mktemp("weighted") / "planted"
    run = changed_run(fixture_run, folder, tables, config=CONFIG, model_sha256=model.weight_sha256)
    return Weighted(run, weights)


@pytest.fixture
def exported(weighted: Weighted, tmp_path: Path) -> Export:
    """Runs `export` on the weighted run and gives the folder; the command must succeed."""

    def export(*arguments: str, run: Path = weighted.run) -> Path:
        out = tmp_path / "out"
        kind, *others = arguments
        assert main(["export", kind, str(run), "--out", str(out), *others]) == 0
        return out

    return export


def _tokenised(contexts: pa.Table, model: LanguageModel) -> pa.Table:
    texts = contexts["text"].to_pylist()
    encodings = model.tokenizer(texts, add_special_tokens=False).encodings
    assert encodings is not None
    for place, name in enumerate(("token_starts", "token_ends")):
        values = [[span[place] for span in encoding.offsets] for encoding in encodings]
        contexts = with_column(contexts, name, values)
    return contexts
