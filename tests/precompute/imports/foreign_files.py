"""Files as other tools write them, about the latents of the planted `sae-32`.

Field names are those of the formats. Tokens are coded as in GPT-2's vocabulary, and each latent
fires on the word that it has as a label in the run.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from tests.planted import META, SMALL, WIDE, direction, labels

MODEL, SOURCE = "gpt2-small", "8-res_fs32-jb"
_PLACE = {"model_id": "openai-community/gpt2", "hook_name": "blocks.8.hook_resid_pre"}
PLACES: dict[str, dict[str, Any]] = {
    WIDE: {**_PLACE, "neuronpedia_id": f"{MODEL}/{SOURCE}"},
    SMALL: {**_PLACE, "neuronpedia_id": f"{MODEL}/8-res_fs8-jb"},
    META: {"model_id": "openai-community/gpt2", "hook_name": f"decoder rows of {WIDE}"},
}
N = 32


def word(latent: int) -> str:
    """The word that a latent fires on in the run; one of its own where it has no label there."""
    return labels()[latent] or f"nameless{latent}"


def byte_coded(text: str) -> str:
    """`text` as a byte-level vocabulary writes it, worked out from the rule, byte by byte."""
    kept = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in kept]
    return "".join(
        chr(byte) if byte in kept else chr(0x100 + others.index(byte)) for byte in text.encode()
    )


def explanation(latent: int, **changes: Any) -> dict[str, Any]:
    """A row of `explanations/batch-N.jsonl.gz`."""
    return {
        "id": f"x{latent}",
        "modelId": MODEL,
        "layer": SOURCE,
        "index": str(latent),
        "authorId": "somebody",
        "description": f"mentions of {word(latent)}",
        "embedding": [0.0] * 4,
        "typeName": "oai_token-act-pair",
        "explanationModelName": "gpt-4o-mini",
        **changes,
    }


def feature(latent: int, **changes: Any) -> dict[str, Any]:
    """A row of `features/batch-N.jsonl.gz`."""
    return {
        "modelId": MODEL,
        "layer": SOURCE,
        "index": str(latent),
        "maxActApprox": 2.5 + latent,
        "hasVector": True,
        "vector": [3.0 * value for value in direction(latent)],
        "hookName": "blocks.8.hook_resid_pre",
        "pos_str": [byte_coded(f" {word(latent)}"), "\u0120common"],
        "pos_values": [1.5, 0.5],
        "neg_str": ["\u0120not"],
        "neg_values": [-0.75],
        "frac_nonzero": round((100 - latent) / 100_000, 5),
        "sourceSetName": "res_fs32-jb",
        **changes,
    }


def activation(latent: int, **changes: Any) -> dict[str, Any]:
    """A row of `activations/batch-N.jsonl.gz`, one of the strongest."""
    values = [0.0, 2.5 + latent, 0.25]
    return {
        "id": f"a{latent}",
        "tokens": ["We", byte_coded(f" {word(latent)}"), "\u0120met"],
        "index": str(latent),
        "layer": SOURCE,
        "modelId": MODEL,
        "maxValue": max(values),
        "maxValueTokenIndex": 1,
        "minValue": 0.0,
        "values": values,
        "binMin": -1,
        "binMax": 99,
        "binContains": -1,
        "qualifyingTokenIndex": 0,
        **changes,
    }


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as lines of JSON, compressed when the name ends in `.gz`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_neuronpedia(folder: Path, latents: range = range(N), **changes: Any) -> Path:
    """A source's folder with its three kinds of rows in two batches each."""
    middle = (latents.start + latents.stop) // 2
    for name, row in (
        ("explanations", explanation),
        ("features", feature),
        ("activations", activation),
    ):
        for at, part in enumerate((range(latents.start, middle), range(middle, latents.stop))):
            rows = [row(latent, **changes) for latent in part]
            write_jsonl(folder / name / f"batch-{at}.jsonl.gz", rows)
    write_jsonl(folder / "source.jsonl", [{"id": SOURCE, "modelId": MODEL}])
    return folder


def batch(latents: range, **changes: Any) -> dict[str, Any]:
    """A batch of SAEDashboard."""
    return {
        "model_id": MODEL,
        "layer": 8,
        "sae_set": "res_fs32-jb",
        "sae_id_suffix": None,
        "features": [dashboard_feature(latent) for latent in latents],
        **changes,
    }


def dashboard_feature(latent: int, **changes: Any) -> dict[str, Any]:
    """One entry of `features` in a batch of SAEDashboard."""
    row = feature(latent)
    shared = ("pos_str", "pos_values", "neg_str", "neg_values", "frac_nonzero", "vector")
    return {
        "feature_index": latent,
        **{name: row[name] for name in shared},
        "activations": [
            {
                "bin_min": -1,
                "bin_max": 99,
                "bin_contains": -1,
                "tokens": activation(latent)["tokens"],
                "values": activation(latent)["values"],
                "qualifying_token_index": 0,
            }
        ],
        **changes,
    }
