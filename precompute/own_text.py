"""A reader's own text through the run's model and SAEs: `python -m precompute.own_text <run>`.

The app starts this process and talks to it in JSON lines, so that it never loads torch itself. One
line comes first, `{"ready": ...}` or `{"error": words}`; then for each line
`{"id": n, "sae_id": name, "text": words}` on stdin one line
`{"id": n, "n_tokens": all, "tokens": [[start, end, [latent, ...], [activation, ...]], ...]}` or
`{"id": n, "error": words}` on stdout. Offsets count characters, special tokens are left out, and
`tokens` ends with the model's context although the text may hold more. The process ends with its
input, in the middle of a computation too.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow.parquet as pq
import torch

from backend.manifest import RunError, read_manifest
from precompute.config import ConfigError
from precompute.encoder import Encoder
from precompute.harvest import activations_of
from precompute.run_model import run_model
from precompute.sources import LanguageModel, load_language_model
from precompute.text import special_token_frame

CPU = torch.device("cpu")
RULE = ["threshold", "architecture", "k"]  # columns of `saes` that say what fires
DIGITS = 4  # of an activation on the wire; a page shows two


class OwnText:
    """The language model of a run, and those of its SAEs that have encoders in `directions`."""

    def __init__(self, folder: Path) -> None:
        """Load the model that the run was made with.

        Raises:
            RunError: the folder holds no run of this version.
            ConfigError: the model cannot be loaded, or is not the one the run was made with.
        """
        manifest = read_manifest(folder)
        self.config = run_model(folder, manifest.config)
        self.model: LanguageModel = load_language_model(self.config)
        if self.model.weight_sha256 != manifest.model_sha256:
            raise ConfigError(
                f"{self.model.model_id} has other weights here than when the run was made, so its "
                "activations would not fit the SAEs"
            )
        self._folder, self._place = folder, self.model.place(self.config)
        self._encoders: dict[str, Encoder] = {}

    @cached_property
    def room(self) -> int:
        """Tokens of one context beside the special ones."""
        frame = special_token_frame(self.model.tokenizer, self.config.prepend_bos)
        return self.config.context_size - sum(map(len, frame))

    def encoder(self, sae_id: str) -> Encoder:
        """The encoder of one SAE, read once.

        Raises:
            ConfigError: the run keeps none of this SAE.
        """
        if sae_id not in self._encoders:
            self._encoders[sae_id] = read_encoder(self._folder, sae_id)
        return self._encoders[sae_id]

    def read(self, sae_id: str, text: str) -> dict[str, Any]:
        """Tokens of `text` up to the model's context, and what fires on each, strongest first."""
        encoder = self.encoder(sae_id)
        encoded = self.model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        ids = np.asarray(encoded["input_ids"], np.int64)
        offsets = encoded["offset_mapping"][: self.room]
        fired: list[list[tuple[float, int]]] = [[] for _ in offsets]
        if offsets:
            pieces = [ids[: self.room]]
            rows = activations_of(self.config, self.model, pieces, CPU, self._place).float()
            index, values = encoder.active(rows)
            row, latent = np.divmod(index.numpy(), encoder.n_latents)
            for token, *entry in zip(row, values.tolist(), latent.tolist(), strict=True):
                fired[token].append((entry[0], entry[1]))
        return {
            "n_tokens": len(ids),
            "tokens": [
                [start, end, [n for _, n in found], [round(a, DIGITS) for a, _ in found]]
                for (start, end), found in zip(offsets, map(_strongest_first, fired), strict=True)
            ],
        }


def read_encoder(folder: Path, sae_id: str) -> Encoder:
    """Encoder of one SAE, 8 bits a weight, from `directions.parquet`; its rule from `saes.parquet`.

    Raises:
        ConfigError: the run keeps none of this SAE.
    """
    here = [("sae_id", "==", sae_id)]
    columns = ["encoder", "encoder_scale", "encoder_bias", "encoder_threshold"]
    rows = pq.read_table(folder / "directions.parquet", columns=columns, filters=here)
    sae = pq.read_table(folder / "saes.parquet", columns=RULE, filters=here).to_pylist()
    if not rows.num_rows or not sae or rows["encoder"].null_count:
        raise ConfigError(f"the run keeps no encoders of {sae_id}, so it cannot read text with it")
    packed = np.frombuffer(b"".join(rows["encoder"].to_pylist()), np.int8)
    scale = rows["encoder_scale"].to_numpy().astype(np.float32)
    weights = packed.reshape(rows.num_rows, -1).astype(np.float32) * scale[:, None]
    each = rows["encoder_threshold"]
    return Encoder(
        weights=torch.from_numpy(np.ascontiguousarray(weights.T)),
        bias=torch.from_numpy(rows["encoder_bias"].to_numpy().astype(np.float32)),
        threshold=sae[0]["threshold"]
        if each.null_count
        else torch.from_numpy(each.to_numpy().astype(np.float32)),
        k=int(sae[0]["k"]) if sae[0]["architecture"] == "topk" else None,
    )


def serve(folder: Path, requests: TextIO, answers: TextIO) -> int:
    """Answer until the input ends; the exit code is 1 when nothing could be loaded."""

    def say(body: dict[str, Any]) -> None:
        answers.write(json.dumps(body) + "\n")
        answers.flush()

    lines = _lines(requests)
    try:
        own_text = OwnText(folder)
    except (ConfigError, RunError) as error:
        say({"error": str(error)})
        return 1
    say({"ready": {"model": own_text.model.model_id, "room": own_text.room}})
    for line in lines:
        request = json.loads(line)
        try:
            answer = own_text.read(request["sae_id"], request["text"])
        except ConfigError as error:
            answer = {"error": str(error)}
        say({"id": request["id"], **answer})
    return 0


def _lines(requests: TextIO) -> Iterator[str]:
    """Lines as they come. A thread reads them: when the app is gone, so is this process."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in requests:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return iter(lines.get, "")  # never empty: it ends with the process


def _strongest_first(found: list[tuple[float, int]]) -> list[tuple[float, int]]:
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m precompute.own_text", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run, e.g. data/minilm")
    options = parser.parse_args()
    # answers keep the real stdout; whatever a library prints goes where messages go
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return serve(options.run, sys.stdin, answers)


if __name__ == "__main__":
    sys.exit(main())
