"""Rows as CSV, JSON and Parquet: hostile text, odd figures, formulas."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.downloads.formats import guarded, written
from backend.schema import LATENTS, MEASUREMENTS
from backend.tables.columns import LATENT, SAE_ID
from tests.planted import HOSTILE


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-ing", "'-ing"),
        ("+1", "+1"),
        ("-0.5e3", "-0.5e3"),
        ("'-ing", "''-ing"),
        ("it's", "it's"),
        ("", ""),
    ],
)
def test_formulas_get_an_apostrophe_and_numbers_do_not(text: str, cell: str) -> None:
    assert guarded(text) == cell


def test_hostile_text_and_odd_figures_survive_every_format() -> None:
    score = next(column for column in LATENTS.columns if column.name == "label_score")
    label = next(column for column in LATENTS.columns if column.name == "label")
    value = next(column for column in MEASUREMENTS.columns if column.name == "value")
    texts = [*HOSTILE, "a,b", 'a"b', "a\r\nb", "\ud800", "=cmd()", "東京"]
    figures = [float(np.float32(0.6)), float("nan"), float("inf"), None]
    rows = [
        {"sae_id": "s", "latent": i, "label": text, "label_score": figures[i % 4], "value": 0.1}
        for i, text in enumerate(texts)
    ]
    columns = (SAE_ID, LATENT, label, score, value)
    expected = [text.encode("utf-8", "replace").decode() for text in texts]

    text_file = io.StringIO(written("csv", rows, columns, {}).decode(), newline="")
    cells = list(csv.DictReader(text_file))
    assert [guarded(text) for text in expected] == [row["label"] for row in cells]
    # 0.6 in 32 bits is 0.6000000238; it is written as short as it can be
    assert [row["label_score"] for row in cells[:4]] == ["0.6", "", "", ""]
    body = json.loads(written("json", rows, columns, {"run": "r"}))
    assert [row["label"] for row in body["rows"]] == expected
    assert [row["label_score"] for row in body["rows"][:4]] == [0.6, None, None, None]
    table = pq.read_table(io.BytesIO(written("parquet", rows, columns, {"run": "r"})))
    assert table["label"].to_pylist() == expected
    assert table["label_score"].null_count == sum(i % 4 > 0 for i in range(len(texts)))
    assert table["value"].to_pylist() == [0.1] * len(texts)
