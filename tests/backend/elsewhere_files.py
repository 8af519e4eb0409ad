"""Files of evidence as the importer writes them, about the planted run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.elsewhere import imported_path
from precompute.imports.evidence_file import write_evidence
from precompute.imports.foreign import TOP, Example, ForeignLatent, ForeignSet
from tests.planted import WIDE

HASH = f"{WIDE:0>64}"
ABOUT = {
    "tool": "Neuronpedia",
    "source": "8-res_fs32-jb",
    "model": "gpt2-small",
    "sae_id": WIDE,
    "decoder_sha256": HASH,
    "density_step": "0.00001",
    "checked": "32 decoder rows, median cosine 0.9999",
}


def latent(text: str = "scientists", **fields: Any) -> ForeignLatent:
    """A latent of which everything is known; every text of it is `text`."""
    return ForeignLatent(**{**_fields(text), **fields})


def _fields(text: str) -> dict[str, Any]:
    return {
        "explanations": [("an older one", ""), (text, text)],
        "density": 0.0012,
        "max_activation": 7.25,
        "promoted": [(f" {text}", 1.5), (" so", 0.25)],
        "suppressed": [(text, -0.5)],
        "fires_on": [(text, 60.0)],
        "examples": [
            Example(TOP, ["We", f" {text}", " met"], [0.0, 7.25, 0.5], 1),
            Example("1 to 2", [text], [1.5], 0),
        ],
        "scores": [(text, 0.75, float("nan"), 100)],
        "parts": [(3, 0.5, text), (7, 0.25, "")],
    }


def write(
    run: Path, latents: dict[int, ForeignLatent], format_: str = "neuronpedia", **about: str
) -> Path:
    """The file of one format beside the run of that folder."""
    path = imported_path(run, format_, WIDE)
    write_evidence(path, ForeignSet(format_, latents=latents), ABOUT | about)
    return path
