"""The positive control: an SAE whose latents are words, so that what they stand for is known.

Its decoder rows stay at word directions (mean activation of the word less the mean of all tokens);
only its encoder learns when they are meant, for a part of the suite's epochs. A method that splits
latents into parts can be judged on it without asking what a latent is.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.config import ConfigError
from precompute.dictionary import Dictionary
from precompute.sources import LanguageModel
from precompute.suite import SaeTask
from precompute.writer import write_atomically

NAMES_NAME = "names.json"
EPOCH_SHARE = 0.3  # of the suite's epochs: an encoder alone learns faster
WORD_BEGINS = ("Ġ", "▁")  # how byte-level and sentence-piece vocabularies write a space
WORD_GOES_ON = "##"


def word_task(task: SaeTask, sae_id: str, language_model: LanguageModel) -> SaeTask:
    """The training of the words, from that of an SAE of the suite; their names are kept at once.

    Raises:
        ConfigError: the text has fewer whole words than latents are asked for.
    """
    count = int(sae_id.rpartition("-")[2])
    names = whole_words(language_model.tokenizer, task.statistics.pieces)
    kept = np.flatnonzero([bool(name) for name in names])[:count]
    if len(kept) < count:
        raise ConfigError(f"words.count = {count}, but the text has {len(kept)} frequent words")
    folder = task.folder.parent / sae_id
    text = json.dumps([names[i] for i in kept], ensure_ascii=False)
    write_atomically(
        folder / NAMES_NAME, lambda temporary: temporary.write_text(text, encoding="utf-8")
    )
    config = task.config.model_copy(
        update={
            "initialisation": "words",
            "word_share": 1.0,
            "word_decoder_rate": 0.0,
            "epochs": EPOCH_SHARE * task.config.epochs,
        }
    )
    statistics = replace(
        task.statistics,
        pieces=task.statistics.pieces[kept],
        piece_means=task.statistics.piece_means[kept],
    )
    return replace(
        task,
        sae_id=sae_id,
        n_latents=count,
        config=config,
        statistics=statistics,
        folder=folder,
    )


def whole_words(tokenizer: PreTrainedTokenizerBase, pieces: np.ndarray) -> list[str]:
    """For every token id the word that it is by itself, "" for parts of words and for signs."""
    marks = any(token.startswith(WORD_BEGINS) for token in tokenizer.get_vocab())
    words = []
    for token in tokenizer.convert_ids_to_tokens([int(piece) for piece in pieces]):
        begins = token.startswith(WORD_BEGINS) if marks else not token.startswith(WORD_GOES_ON)
        word = token.lstrip("".join(WORD_BEGINS))
        words.append(word.lower() if begins and word.isalpha() else "")
    return words


def with_names(latents: pa.Table, folder: Path) -> pa.Table:
    """The `latents` of the words with their known names as labels.

    The score is how well the latent fires on its word (F1), null when other words beat it to the
    list of top terms.
    """
    names: list[str] = json.loads((folder / NAMES_NAME).read_text(encoding="utf-8"))
    if len(names) != Dictionary.load(folder).n_latents:
        raise RuntimeError(f"{folder} has {len(names)} names for another number of latents")
    rows = latents.sort_by("latent")
    scores = [
        next((term["score"] for term in terms if term["term"] == name), None)
        for name, terms in zip(names, rows["top_terms"].to_pylist(), strict=True)
    ]
    columns = {"label": names, "label_source": ["name"] * len(names), "label_score": scores}
    for column, values in columns.items():
        place = rows.schema.get_field_index(column)
        field = rows.schema.field(place)
        rows = rows.set_column(place, field, pa.array(values, field.type))
    return rows
