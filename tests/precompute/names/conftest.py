"""A parent of 200 latents with known words, and meta-latents with known members.

Words 0 to 39 mean an animal, 40 to 79 a tool; 80 to 119 begin with "ze" and mean anything, 120 to
159 are years, 160 to 199 mean anything. Each latent stands for the word of its number. Embeddings
are the topic's direction and noise; "animal" and "tool" are words of the text that no latent has.
"""

from __future__ import annotations

import numpy as np
import pytest

from precompute.names.choosing import Members
from precompute.names.profiles import Lexicon, Profiles, profiles_of

D = 64
TOPIC = {"animal": 0, "tool": 1}
ANIMALS, TOOLS, ZE, YEARS, REST = (range(i, i + 40) for i in range(0, 200, 40))
GROUPS = (ANIMALS, TOOLS, ZE, YEARS)


def syllables(number: int) -> str:
    """A word without meaning, of letters alone, different for every number."""
    consonants, vowels = "bdfgklmnprst", "aiou"
    word = ""
    for _ in range(3):
        number, consonant = divmod(number, len(consonants))
        word += consonants[consonant] + vowels[(number + consonant) % len(vowels)]
    return word


def words() -> list[str]:
    made = [syllables(7 * i + 11) for i in range(200)]
    for i in ZE:
        made[i] = "ze" + made[i]
    for i in YEARS:
        made[i] = str(1880 + i - YEARS[0])
    assert len(set(made)) == 200
    return made


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1, (202, D))
    for topic, place in ((ANIMALS, 0), (TOOLS, 1)):
        vectors[topic, place] += 6
    vectors[200], vectors[201] = 6 * np.eye(D)[:2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    counts = np.full(202, 10)  # too rare to name anything, but for
    counts[[*REST, 200, 201]] = 60
    return Lexicon(
        [*words(), "animal", "tool"],
        counts,
        np.ones(202),
        vectors.astype(np.float32),
        np.arange(202),
    )


@pytest.fixture(scope="session")
def profiles() -> Profiles:
    return profiles_of([[{"term": word, "score": 0.8}] for word in words()], seed=0)


@pytest.fixture(scope="session")
def members() -> Members:
    """Meta-latents 0 to 3: animals, tools, words in ze-, years; 4: the rest; 5: two latents."""
    groups = [*GROUPS, REST, range(2)]
    latent = np.concatenate([np.array(group) for group in groups])
    meta = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return Members(latent, meta, np.ones(len(latent)), 200, len(groups) + 1)  # the last has none
