"""The stand-in dashboard holds the run's own data and shows it."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from streamlit.testing.v1 import AppTest
from tokenizers import Tokenizer

from benchmarks.stand_in.pickles import write_pickles

APP = Path(__file__).resolve().parents[2] / "benchmarks" / "stand_in" / "app.py"


@pytest.fixture(scope="module", params=[False, True], ids=["tuples", "compact"])
def written(request, fixture_run: Path, tmp_path_factory) -> tuple[Path, str, list[int]]:
    folder = tmp_path_factory.mktemp("pickles")
    return folder, *write_pickles(fixture_run, folder, compact=request.param)


def test_pickles_hold_the_examples_and_weights_of_the_run(written, fixture_run):
    folder, sae_id, decomposed = written
    statistics = torch.load(folder / "feature_stats.pth", weights_only=False)
    rows = pq.read_table(fixture_run / "examples.parquet")
    latent = decomposed[0]
    own = rows.filter((pc.field("sae_id") == sae_id) & (pc.field("latent") == latent))
    expected = sorted(own["activation"].to_pylist(), reverse=True)
    kept = statistics["highly_activating_indices"][latent]
    found = [value for context, _, value in torch.as_tensor(kept).tolist() if context >= 0]
    assert found == pytest.approx(expected)
    components = pq.read_table(fixture_run / "components.parquet").filter(
        pc.field("latent") == latent
    )
    weights = dict(statistics["feature_to_clusters"][latent])
    stored = zip(
        components["meta_latent"].to_pylist(), components["activation"].to_pylist(), strict=True
    )
    assert weights.items() <= dict(stored).items()
    for meta, weight in weights.items():
        assert (latent, weight) in statistics["cluster_to_features"][meta]


def test_a_decoded_context_has_the_tokens_of_its_text(written, fixture_run):
    folder, _, _ = written
    tokens = torch.load(folder / "dataset.pth")
    row = pq.read_table(fixture_run / "contexts.parquet").sort_by("context_id").slice(0, 1)
    text, starts, ends = (row[name][0].as_py() for name in ("text", "token_starts", "token_ends"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = tokens[0][: len(starts)].tolist()
    assert [tokenizer.id_to_token(i) for i in ids] == [
        text[start:end] for start, end in zip(starts, ends, strict=True)
    ]


def test_both_pages_show_what_was_asked_for(written, monkeypatch):
    folder, _, decomposed = written
    statistics = torch.load(folder / "feature_stats.pth", weights_only=False)
    latent = decomposed[-1]
    meta, weight = statistics["feature_to_clusters"][latent][0]
    monkeypatch.setenv("STAND_IN_DATA", str(folder))
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["latent"] = str(latent)
    app.run()
    assert not app.exception
    assert app.header[0].value.startswith(f"Latent {latent}:")
    assert f"- {meta} " in app.markdown[-1].value and f"{weight:.4f}" in app.markdown[-1].value
    app.query_params["meta"] = str(meta)
    app.run()
    assert not app.exception
    assert app.header[0].value.startswith(f"Meta-latent {meta}:")
