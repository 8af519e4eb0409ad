"""The part of the text that evidence rests on, as rows, and the words in them.

`choose` is the beginning of the training rows, `test` of the held-out rows: contexts are shuffled,
so a beginning is a random sample. Both end at the end of a context. What chooses a name is counted
in `choose`, what judges it in `test`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from precompute.activations import Firings
from precompute.text import TokenisedText

PARTS = {"choose": "train", "test": "heldout"}


@dataclass(frozen=True)
class Sample:
    """The first rows of a split; a word's occurrence has one or more rows.

    `token_ids` and `occurrence` are [n_rows], `occurrence` -1 for signs and for the rest of a word
    that began in another context; `word`, `document` and `follows` are [n_occurrences].
    """

    token_ids: np.ndarray
    context_ends: np.ndarray  # int64 [n_contexts], rows
    occurrence: np.ndarray
    word: np.ndarray  # index into the text's words
    document: np.ndarray
    follows: np.ndarray  # bool: nothing stands between it and the occurrence before

    @property
    def n_rows(self) -> int:
        return len(self.token_ids)


def sample_of(text: TokenisedText, part: str, most_tokens: int) -> Sample:
    """The sample of a part: whole contexts, at most `most_tokens` rows, but one context at least.

    Signs break a phrase, and so does a word that ends in one (tokenizers that split at spaces
    only): with nothing between two words a full stop cannot be either.
    """
    contexts = text.splits[PARTS[part]]
    ends = np.cumsum(text.starts[contexts + 1] - text.starts[contexts])
    n_contexts = max(1, int(np.searchsorted(ends, most_tokens, "right")))
    ends = ends[:n_contexts]
    tokens = text.row_tokens(PARTS[part])[: ends[-1]]
    first = np.zeros(len(tokens), bool)
    first[np.concatenate([[0], ends[:-1]])] = True
    begins = text.new_word[tokens] | first
    word = text.word_ids[tokens[begins]].astype(np.int64)
    word[first[begins] & ~text.new_word[tokens[begins]]] = -1
    is_word = word >= 0
    unit = np.cumsum(begins) - 1
    occurrence = np.where(is_word, np.cumsum(is_word) - 1, -1)[unit]
    clean = np.array([name[0].isalnum() and name[-1].isalnum() for name in text.words])
    joins = is_word & clean[word]
    follows = joins & ~first[begins]
    follows[1:] &= joins[:-1]
    return Sample(
        token_ids=text.token_ids[tokens],
        context_ends=ends,
        occurrence=occurrence,
        word=word[is_word],
        document=documents_of(text)[np.repeat(contexts[:n_contexts], np.diff(ends, prepend=0))][
            begins
        ][is_word],
        follows=follows[is_word],
    )


def documents_of(text: TokenisedText) -> np.ndarray:
    """int64 [n_contexts]: a number for the document of each context.

    A context shorter than the longest ends its document. One that fills its last context to the
    token is taken together with the next: a phrase may be found in fewer documents, never in more.
    """
    lengths = np.diff(text.starts)
    is_last = lengths < lengths.max()
    return np.cumsum(is_last) - is_last


def whole_contexts(
    blocks: Iterable[tuple[int, Firings]], context_ends: np.ndarray
) -> Iterator[Firings]:
    """The same firings in blocks that end where a context ends, so that no word is cut in two.

    Args:
        blocks: number of rows and firings of each block; rows count from the block's start.

    Yields:
        The firings of whole contexts; rows count from the first row of all.
    """
    waiting: list[Firings] = []
    done = seen = 0
    for n_rows, firing in blocks:
        waiting.append(firing._replace(rows=firing.rows + seen))
        seen += n_rows
        whole = int(np.searchsorted(context_ends, seen, "right"))
        end = int(context_ends[whole - 1]) if whole else 0
        if end == done:
            continue
        joined = Firings(*(np.concatenate(parts) for parts in zip(*waiting, strict=True)))
        n_whole = int(np.searchsorted(joined.rows, end))
        yield Firings(*(column[:n_whole] for column in joined))
        waiting = [Firings(*(column[n_whole:] for column in joined))]
        done = end
