"""The same latent by other methods, and its ancestors, as HTML."""

from __future__ import annotations

import re
from html import unescape

from backend import queries, trust
from backend.store import Run
from backend.trust_cards_html import ancestors_html, other_methods_html
from tests.planted import META, WIDE
from tests.trusted import HOSTILE_LABEL


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def cards(run: Run, latent: int) -> list[str]:
    own = queries.components(run, META, latent)
    found = queries.latent(run, WIDE, latent)
    assert found is not None
    others = trust.other_decompositions(run, WIDE, latent)
    explained = found.decomposition_variance_explained
    return other_methods_html(own, explained, others, META, run.name).split("<article")[1:]


def test_the_meta_sae_comes_first_and_random_directions_last(run: Run) -> None:
    heads = [re.findall(r"<h3>(.*?)</h3>", card)[0] for card in cards(run, 0)]
    assert [words(head) for head in heads] == [
        "meta-SAE",
        "pursuit on sae-8",
        "k-means",
        "pursuit on principal axes",
        "pursuit on random directions",
    ]


def test_a_card_has_a_bar_and_its_parts_with_weights(run: Run) -> None:
    own, pursuit, clusters, axes, random = cards(run, 0)
    # squared length 0.97, residual 0.16: 1 - 0.16 / 0.97
    assert words(own).endswith("0.84 0.60 scientist 0.50 german 0.40 words in e-")
    assert "width:83.5%" in own
    assert "width:50.0%" in pursuit
    assert "width:25.0%" in random and 'class="bar null negative"' in random
    assert words(random).endswith(f"\u22120.25 0.50 {HOSTILE_LABEL} 0.25 direction 1")
    assert words(clusters).endswith("cluster 1")
    assert words(axes).endswith("axis 1")


def test_parts_that_are_latents_are_links_and_others_are_not(run: Run) -> None:
    own, pursuit, clusters, *_ = cards(run, 0)
    assert "meta?run=planted&amp;sae=meta-4&amp;latent=1" in own
    assert "latent?run=planted&amp;sae=sae-8&amp;latent=0" in pursuit
    assert words(pursuit).endswith("0.25 german")  # under the label that the latent has
    assert "<a " not in clusters


def test_hostile_labels_are_escaped(run: Run) -> None:
    assert HOSTILE_LABEL not in "".join(cards(run, 0))
    chain = [{"sae_id": "<b>", "latent": 1, "label": HOSTILE_LABEL, "cosine": 0.9}]
    html = ancestors_html(chain, WIDE, 0, HOSTILE_LABEL, "planted")
    assert HOSTILE_LABEL not in html and "&lt;b&gt;, cosine" in html


def test_without_other_methods_it_says_so() -> None:
    assert "no decomposition of this latent by another method" in other_methods_html(
        [], 0.5, [], META, "planted"
    )


def test_the_line_goes_from_the_smallest_sae_to_this_latent(run: Run) -> None:
    html = ancestors_html(trust.ancestors(run, WIDE, 11), WIDE, 11, "darwin", run.name)
    assert words(html) == (
        "Ancestors : scientist sae-8, cosine 0.75 → , then darwin sae-32/11 ( tree )"
    )
    assert "splitting?run=planted&amp;sae=sae-8&amp;latent=3" in html


def test_a_longer_chain_is_turned_around() -> None:
    chain = [
        {"sae_id": "b", "latent": 2, "label": "middle", "cosine": 0.9},
        {"sae_id": "a", "latent": 1, "label": "oldest", "cosine": 0.8},
        {"sae_id": "z", "latent": 0, "label": "too far", "cosine": 0.3},
    ]
    told = words(ancestors_html(chain, "c", 3, "youngest", "planted"))
    assert told.index("oldest") < told.index("middle") < told.index("youngest")
    assert "too far" not in told


def test_no_ancestor_says_how_near_the_nearest_is(run: Run) -> None:
    told = words(ancestors_html(trust.ancestors(run, WIDE, 20), WIDE, 20, "a", run.name))
    assert told == (
        "Ancestors : none. The nearest latent of sae-8, paris , has a cosine of 0.32, below 0.7."
    )
    assert ancestors_html([], "sae-8", 0, "a", "planted") == ""
