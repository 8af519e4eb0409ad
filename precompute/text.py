"""Documents to contexts: tokens, whole words behind them, and a split by document.

1. `tokenise` cuts every document into contexts and keeps character offsets; special and padding
   tokens never enter any array, at any position.
2. Documents are dealt to `train` and `heldout` at random until the held-out share of tokens is
   reached; the contexts of a split are shuffled once, so reading its rows in order mixes.
   `shown` holds every context that pages may show, in order.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tokenizers import Encoding
from tqdm.auto import tqdm
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.config import ConfigError, RunConfig
from precompute.sources import LanguageModel, read_documents

SPLITS = ("train", "heldout", "shown")


@dataclass(frozen=True)
class ShownContext:
    """A context that pages may show, with each token's character span in its text."""

    source: str
    title: str
    text: str
    token_starts: list[int]
    token_ends: list[int]


@dataclass(frozen=True)
class TokenisedText:
    """All contexts of the text and how they are split.

    Shapes: `token_ids`, `word_ids` int32 [n_tokens] without special tokens, `word_ids` pointing
    into `words` (-1 for none); `new_word` bool [n_tokens], where an occurrence of a word begins;
    `starts` int64 [n_contexts + 1]; each split an int64 array of context numbers in reading order.
    """

    token_ids: np.ndarray
    word_ids: np.ndarray
    new_word: np.ndarray
    words: list[str]
    starts: np.ndarray
    splits: dict[str, np.ndarray]
    shown: list[ShownContext]
    corpus_documents: dict[str, int]
    corpus_tokens: dict[str, int]

    def row_tokens(self, split: str) -> np.ndarray:
        """int64 [n_rows]: the token (index into `token_ids`) behind every row of a split."""
        contexts = self.splits[split]
        lengths = self.starts[contexts + 1] - self.starts[contexts]
        ends = np.cumsum(lengths)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        return np.repeat(self.starts[contexts], lengths) + within


def tokenise(config: RunConfig, language_model: LanguageModel, text_folder: Path) -> TokenisedText:
    """Cut every document into contexts of `context_size` minus the model's special tokens."""
    tokenizer = language_model.tokenizer
    room = config.model.context_size - sum(
        map(len, special_token_frame(tokenizer, config.model.prepend_bos))
    )
    ids: list[np.ndarray] = []
    words = _WordTable()
    lengths: list[int] = []
    documents: list[int] = []
    shown: list[ShownContext] = []
    shown_contexts: list[int] = []
    corpus_documents: dict[str, int] = {c.name: 0 for c in config.corpora}
    corpus_tokens: dict[str, int] = {c.name: 0 for c in config.corpora}
    stream = read_documents(config.corpora, text_folder, config.seed)
    bar = tqdm(stream, desc="tokenise", unit=" documents")
    for n_documents, (corpus, document) in enumerate(bar):
        encoding = _encode(tokenizer, document.text)
        tokens = np.asarray(encoding.ids, np.int32)
        words.add(document.text, encoding)
        corpus_documents[corpus.name] += 1
        corpus_tokens[corpus.name] += len(tokens)
        for begin in range(0, len(tokens), room):
            piece = tokens[begin : begin + room]
            if corpus.shown:
                offsets = encoding.offsets[begin : begin + room]
                shown.append(
                    _shown_context(document.source, document.title, document.text, offsets)
                )
                shown_contexts.append(len(lengths))
            ids.append(piece)
            lengths.append(len(piece))
            documents.append(n_documents)
    if not lengths:
        raise ConfigError("corpora: not one of the documents holds a token")
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    train, heldout = _split_by_document(
        np.asarray(documents), np.asarray(lengths), config.heldout_share, config.seed
    )
    return TokenisedText(
        token_ids=np.concatenate(ids),
        word_ids=np.concatenate(words.word_ids),
        new_word=np.concatenate(words.new_word),
        words=list(words.numbers),
        starts=starts,
        splits={"train": train, "heldout": heldout, "shown": np.asarray(shown_contexts, np.int64)},
        shown=shown,
        corpus_documents=corpus_documents,
        corpus_tokens=corpus_tokens,
    )


def some_contexts(text: TokenisedText, n_tokens: Mapping[str, int]) -> TokenisedText:
    """The first contexts of these splits, up to so many tokens of each.

    Contexts are shuffled, so they are a random part.
    """
    splits = {}
    for split, wanted in n_tokens.items():
        contexts = text.splits[split]
        ends = np.cumsum(text.starts[contexts + 1] - text.starts[contexts])
        splits[split] = contexts[: max(1, int(np.searchsorted(ends, wanted, "right")))]
    return replace(text, splits=splits)


class _WordTable:
    """Whole words behind tokens: "Einstein" is one word, however many pieces it has."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.word_ids: list[np.ndarray] = []
        self.new_word: list[np.ndarray] = []

    def add(self, text: str, encoding: Encoding) -> None:
        """Number the words of one document; words are lower-cased and need a letter or digit."""
        words = _word_of_tokens(text, encoding)
        spans: dict[int, tuple[int, int]] = {}
        for word, (start, end) in zip(words, encoding.offsets, strict=True):
            first = spans[word][0] if word in spans else start
            spans[word] = (first, end)
        numbers: dict[int, int] = {}
        for word, (start, end) in spans.items():
            name = text[start:end].strip().lower()
            known = any(map(str.isalnum, name))
            numbers[word] = self.numbers.setdefault(name, len(self.numbers)) if known else -1
        self.word_ids.append(np.fromiter((numbers[w] for w in words), np.int32, len(words)))
        order = np.asarray(words, np.int64)
        self.new_word.append(np.concatenate([[True], order[1:] != order[:-1]])[: len(words)])


def _word_of_tokens(text: str, encoding: Encoding) -> list[int]:
    """The word each token belongs to, by the tokenizer or, where it does not split, by spaces.

    Some tokenizers (Llama's among them) see a whole document as one word or as none.
    """
    words = [word for word in encoding.word_ids if word is not None]
    is_whole = len(words) == len(encoding.offsets)
    if is_whole and (len(set(words)) > 1 or not any(map(str.isspace, text.strip()))):
        return words
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    firsts = (end - len(text[start:end].lstrip()) for start, end in encoding.offsets)
    return [bisect.bisect_right(starts, first) for first in firsts]


def _encode(tokenizer: PreTrainedTokenizerBase, text: str) -> Encoding:
    encodings = tokenizer(text, add_special_tokens=False, verbose=False).encodings
    if encodings is None:
        raise ConfigError("the tokenizer gives no character offsets; a fast tokenizer is needed")
    return encodings[0]


def special_token_frame(
    tokenizer: PreTrainedTokenizerBase, prepend_bos: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Ids of the special tokens before and after a text: the tokenizer's own, and BOS if asked."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    ids = np.asarray(encoded["input_ids"], np.int64)
    ordinary = np.flatnonzero(np.asarray(encoded["special_tokens_mask"]) == 0)
    before = ids[: ordinary[0]]
    if prepend_bos and len(before) == 0:
        if tokenizer.bos_token_id is None:
            raise ConfigError("model.prepend_bos = true, but the tokenizer has no BOS token")
        before = np.asarray([tokenizer.bos_token_id], np.int64)
    return before, ids[ordinary[-1] + 1 :]


def _shown_context(
    source: str, title: str, text: str, offsets: list[tuple[int, int]]
) -> ShownContext:
    first, last = offsets[0][0], offsets[-1][1]
    return ShownContext(
        source=source,
        title=title,
        text=text[first:last],
        token_starts=[start - first for start, _ in offsets],
        token_ends=[end - first for _, end in offsets],
    )


def _split_by_document(
    documents: np.ndarray, lengths: np.ndarray, heldout_share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shuffled context numbers of the training and the held-out documents."""
    rng = np.random.default_rng(seed)
    tokens = np.bincount(documents, weights=lengths)
    order = rng.permutation(len(tokens))
    room = heldout_share * tokens.sum()
    is_heldout = np.zeros(len(tokens), bool)
    for document in order:  # skip a document that would overshoot, e.g. a whole book
        if tokens[document] <= room:
            is_heldout[document] = True
            room -= tokens[document]
    mask = is_heldout[documents]
    return rng.permutation(np.flatnonzero(~mask)), rng.permutation(np.flatnonzero(mask))
