"""Contexts to activations, once: memory-mapped rows on disk.

`harvest` runs the model and appends rows to a float16 array per split; a progress file says how
many batches are safe on disk, so a killed harvest goes on where it stopped, bit for bit.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from precompute.config import ModelConfig
from precompute.place import Place
from precompute.sources import LanguageModel
from precompute.text import TokenisedText, special_token_frame
from precompute.writer import write_atomically

SAFE_EVERY_BATCHES = 100  # flush and note progress this often


def harvest(
    config: ModelConfig,
    language_model: LanguageModel,
    text: TokenisedText,
    split: str,
    folder: Path,
    device: torch.device,
) -> np.ndarray:
    """Activations float16 [n_rows, d_in] of a split, memory-mapped from `folder/<split>.npy`."""
    contexts = text.splits[split]
    lengths = text.starts[contexts + 1] - text.starts[contexts]
    row_starts = np.concatenate([[0], np.cumsum(lengths)])
    path, progress = folder / f"{split}.npy", folder / f"{split}.progress.json"
    place = language_model.place(config)
    n_done = json.loads(progress.read_text())["batches"] if progress.exists() else 0
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.lib.format.open_memmap(
        path,
        "r+" if n_done else "w+",
        np.float16,
        None if n_done else (int(row_starts[-1]), place.d_in),
    )
    if not n_done and hasattr(os, "posix_fallocate"):
        # real blocks now: a memory map that meets a full disk later dies without a message
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    starts = range(0, len(contexts), config.batch_contexts)
    if n_done < len(starts):
        torch.nn.Module.to(language_model.model, device)
        with tqdm(
            total=int(row_starts[-1]),
            initial=int(row_starts[min(n_done * config.batch_contexts, len(contexts))]),
            desc=f"activations {split}",
            unit=" tokens",
            unit_scale=True,
        ) as bar:
            for number, start in enumerate(starts):
                if number < n_done:
                    continue
                batch = contexts[start : start + config.batch_contexts]
                pieces = [text.token_ids[text.starts[c] : text.starts[c + 1]] for c in batch]
                acts = activations_of(config, language_model, pieces, device, place)
                rows[row_starts[start] : row_starts[start] + len(acts)] = acts.cpu().numpy()
                bar.update(len(acts))
                if (number + 1) % SAFE_EVERY_BATCHES == 0 or number + 1 == len(starts):
                    rows.flush()
                    note = json.dumps({"batches": number + 1})
                    write_atomically(
                        progress, lambda temporary, note=note: temporary.write_text(note)
                    )
    return np.load(path, mmap_mode="r")


@dataclass(frozen=True)
class PaddedBatch:
    """Contexts as the model reads them; all [n_contexts, longest], special tokens in place."""

    ids: torch.Tensor  # int64
    attention: torch.Tensor  # int64, 0 at padding
    ordinary: torch.Tensor  # bool, False at padding and special tokens

    def inputs(self, device: torch.device) -> dict[str, torch.Tensor]:
        return {"input_ids": self.ids.to(device), "attention_mask": self.attention.to(device)}


def padded(
    config: ModelConfig, language_model: LanguageModel, pieces: list[np.ndarray]
) -> PaddedBatch:
    """Put the model's special tokens around each piece (token ids) and pad to the longest."""
    tokenizer = language_model.tokenizer
    before, after = special_token_frame(tokenizer, config.prepend_bos)
    width = max(map(len, pieces)) + len(before) + len(after)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    ids = np.full((len(pieces), width), pad, np.int64)
    attention = np.zeros_like(ids)
    ordinary = np.zeros(ids.shape, bool)
    for row, piece in enumerate(pieces):
        full = np.concatenate([before, piece, after])
        ids[row, : len(full)] = full
        attention[row, : len(full)] = 1
        ordinary[row, len(before) : len(before) + len(piece)] = True
    return PaddedBatch(*map(torch.from_numpy, (ids, attention, ordinary)))


@torch.inference_mode()
def activations_of(
    config: ModelConfig,
    language_model: LanguageModel,
    pieces: list[np.ndarray],
    device: torch.device,
    place: Place | None = None,
) -> torch.Tensor:
    """float16 [sum of lengths, d_in]: the activations of every ordinary token.

    Args:
        place: where they are read; the config's place when it was not looked up before.
    """
    place = place or language_model.place(config)
    batch = padded(config, language_model, pieces)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
        hidden = place.capture(lambda: language_model.model(**batch.inputs(device)))
    rows = hidden[batch.ordinary.to(device)].float()
    if config.centred:
        rows = rows - rows.mean(dim=1, keepdim=True)
    return rows.to(torch.float16)
