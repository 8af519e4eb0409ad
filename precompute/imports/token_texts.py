"""Vocabulary strings back to text: what a token looks like in a vocabulary is not what it says.

Byte-level vocabularies write each byte of UTF-8 as one printable character, so that a space is "Ġ"
and an accent two letters; SentencePiece writes a space as "▁" and single bytes as "<0xE2>". A
character may be cut into several tokens: its bytes are put together again, and the token that ends
it gets it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

OUT_OF_RANGE = "<|outofrange|>"
NO_TOKEN = "[no such token]"
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_BYTE_LEVEL_MARKS = ("\u0120", "\u010a", "\u0109")  # space, line break, tab
_SPACE_PIECE = "\u2581"


def _byte_of_character() -> dict[str, int]:
    """Byte of each character of a byte-level vocabulary.

    Bytes that Latin-1 prints stand for themselves, the others follow from U+0100 on in order.
    """
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    shown = {chr(byte): byte for byte in printed}
    return shown | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_BYTES = _byte_of_character()


class TokenTexts:
    """Turns the tokens of one set of files into text.

    How they are coded is seen from the tokens themselves, and stays once it is seen: a list that
    happens to have no space in it is coded as the others are.
    """

    def __init__(self) -> None:
        self._is_bytes = self._is_pieces = False

    def of_each(self, tokens: Sequence[object]) -> list[str]:
        """Text of tokens that do not follow one another."""
        self._look(tokens)
        return [_text([self._bytes(token)])[0] for token in tokens]

    def of_context(self, tokens: Sequence[object]) -> list[str]:
        """Text of tokens that follow one another; one that ends no character has none."""
        self._look(tokens)
        return _text([self._bytes(token) for token in tokens])

    def _look(self, tokens: Sequence[object]) -> None:
        for token in tokens:
            if isinstance(token, str) and not token.isascii():
                self._is_bytes = self._is_bytes or any(m in token for m in _BYTE_LEVEL_MARKS)
                self._is_pieces = self._is_pieces or _SPACE_PIECE in token

    def _bytes(self, token: object) -> bytes:
        if not isinstance(token, str):
            return b""
        if token == OUT_OF_RANGE:
            return NO_TOKEN.encode()
        if self._is_pieces:  # it first: no byte-level vocabulary has its mark
            if byte := _BYTE.fullmatch(token):
                return bytes([int(byte[1], 16)])
            token = token.replace(_SPACE_PIECE, " ")
        elif self._is_bytes and all(character in _BYTES for character in token):
            return bytes(_BYTES[character] for character in token)
        return token.encode("utf-8", "replace")


def _text(pieces: list[bytes]) -> list[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    last = len(pieces) - 1
    return [decoder.decode(piece, at == last) for at, piece in enumerate(pieces)]
