"""Neuronpedia's files read back, and the fields that its rows have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

GIVEN = ("--model-id", "ours", "--source-id", "1-res_32-sub__a")
PLACE = Path("ours", "1-res_32-sub__a")
FEATURE = (
    "modelId", "layer", "index", "creatorId", "createdAt", "maxActApprox", "hasVector", "vector",
    "vectorLabel", "vectorDefaultSteerStrength", "hookName", "topkCosSimIndices",
    "topkCosSimValues", "neuron_alignment_indices", "neuron_alignment_values",
    "neuron_alignment_l1", "correlated_neurons_indices", "correlated_neurons_pearson",
    "correlated_neurons_l1", "correlated_features_indices", "correlated_features_pearson",
    "correlated_features_l1", "neg_str", "neg_values", "pos_str", "pos_values", "frac_nonzero",
    "freq_hist_data_bar_heights", "freq_hist_data_bar_values", "logits_hist_data_bar_heights",
    "logits_hist_data_bar_values", "decoder_weights_dist", "sourceSetName",
)  # fmt: skip
ACTIVATION = (
    "id", "tokens", "index", "layer", "modelId", "maxValue", "maxValueTokenIndex", "minValue",
    "values", "creatorId", "dataSource", "dataIndex", "dfaValues", "dfaTargetIndex",
    "dfaMaxValue", "createdAt", "lossValues", "logitContributions", "binMin", "binMax",
    "binContains", "qualifyingTokenIndex", "zIndices", "zValues",
)  # fmt: skip
EXPLANATION = (
    "id", "modelId", "layer", "index", "authorId", "description", "embedding", "typeName",
    "explanationModelName", "umap_x", "umap_y", "umap_cluster", "umap_log_feature_sparsity",
)  # fmt: skip
SOURCE = (
    "id", "modelId", "setName", "creatorId", "hasDashboards", "inferenceEnabled", "saelensConfig",
    "saelensRelease", "saelensSaeId", "hfRepoId", "hfFolderId", "visibility", "num_prompts",
    "num_tokens_in_prompt", "dataset", "notes", "hasUmap", "hasUmapLogSparsity",
    "hasUmapClusters", "cosSimMatchModelId", "cosSimMatchSourceId", "createdAt",
)  # fmt: skip

Row = dict[str, Any]


def lines_of(folder: Path, name: str) -> list[Row]:
    """Rows of all batches of a folder; every line is one object, whatever is in it."""
    batches = sorted((folder / name).glob("batch-*.jsonl.gz"), key=lambda p: (len(p.name), p.name))
    rows = []
    for batch in batches:
        content = gzip.decompress(batch.read_bytes())
        assert content.isascii()
        assert content.endswith(b"\n")
        rows += [json.loads(line) for line in content.decode().splitlines()]
    return rows
