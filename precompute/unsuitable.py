"""Words that may be counted and searched, but never stand as the name of a latent on a page.

Training text from forums holds slurs and swear words. What a latent fires on is shown as it is,
among its words; a name is what pages put in large type, so another of its words takes that place.
The words are kept as hashes: nobody has to read the list to work on this code.
"""

from __future__ import annotations

import hashlib

HASH_DIGITS = 12  # of SHA-256 of the word in lower case
_HASHES = {
    "044eb98b1876", "08a841e99678", "0c64f3ba82e0", "0ce875d62007", "11cf8376a157",
    "120f6e5b4ea3", "158869a97379", "16ea09fc78ca", "17bde8b40646", "1e02eec4f109",
    "268651b3ece9", "2f5f6ce5ae30", "31506a8448a7", "341d56384afc", "402f7ebd9886",
    "45cd3e1bb472", "45fb7c3b72b6", "517ae3f73216", "522788b65f01", "566f532d486c",
    "5a9d9dcefb56", "5b3ae48be122", "6ac3c336e409", "82159dd02870", "85fc17f7069a",
    "8f5083e3e5c7", "937d56e49744", "986c99004163", "98b52c4b6b7d", "9915ba2d8222",
    "9ae315a94e42", "b690cdbe59f1", "bb61ef40814c", "c1cabb6f6e43", "c2c3b68b4883",
    "c3de533e9b7f", "cc02032349c8", "d75a838dc758", "daec0c235d31", "e7b98c6aa5b9",
    "eef3bd091670", "f9d0d9b18ae9",
}  # fmt: skip


def may_name(word: str) -> bool:
    """Whether a word is fit to stand in a name."""
    digest = hashlib.sha256(word.lower().encode()).hexdigest()
    return digest[:HASH_DIGITS] not in _HASHES
