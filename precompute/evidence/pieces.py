"""Tokens that are not words by themselves, as the vocabulary writes them: `##ing`, `Ġein`, `,`."""

from __future__ import annotations

from collections import Counter

from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.words import WORD_BEGINS, WORD_GOES_ON

UNREADABLE = "\ufffd"  # what a part of a character decodes to


def piece_names(tokenizer: PreTrainedTokenizerBase, words: list[str]) -> list[str]:
    """For every token id the name it is searched by, "" for whole words and special tokens.

    A token is a whole word when the vocabulary says that a word begins with it and it is one of
    `words`, lower-cased; the index of words has it. Word pieces keep their `##`; byte-level tokens
    are decoded and keep the mark of a space before them. A part of a character has no text: it is
    called by its number.
    """
    vocabulary = tokenizer.get_vocab()
    marks = any(token.startswith(WORD_BEGINS) for token in vocabulary)
    skipped, known = set(tokenizer.all_special_ids), set(words)
    names = [""] * (max(vocabulary.values()) + 1)
    for token, number in vocabulary.items():
        if number in skipped or token.startswith("[unused"):
            continue
        mark, plain = "", token
        if marks:
            mark = token[0] if token.startswith(WORD_BEGINS) else ""
            plain = str(tokenizer.decode([number], clean_up_tokenization_spaces=False)).strip()
        begins = bool(mark) if marks else not token.startswith(WORD_GOES_ON)
        if begins and plain.lower() in known:
            continue
        names[number] = f"token {number}" if not plain or UNREADABLE in plain else mark + plain
    repeated = {name for name, count in Counter(names).items() if name and count > 1}
    return [f"token {i}" if name in repeated else name for i, name in enumerate(names)]
