"""Decompositions, members and graphs are those that were planted."""

from __future__ import annotations

import math

import pytest

from backend import queries
from backend.records import column
from backend.store import Run
from tests.planted import BIAS, META, NO_COMPONENT, RESIDUAL, WIDE, labels

EINSTEIN = 0
GERMAN, SCIENTIST, WORDS_IN_E, CITY = range(4)


def is_falling(values: list[float]) -> bool:
    return values == sorted(values, reverse=True)


def test_components_of_einstein_are_the_planted_weights_strongest_first(run: Run) -> None:
    rows = queries.components(run, META, EINSTEIN)
    assert column(rows, "meta_latent") == [SCIENTIST, GERMAN, WORDS_IN_E]
    assert column(rows, "label") == ["scientist", "german", "words in e-"]
    assert column(rows, "activation") == pytest.approx([0.6, 0.5, 0.4])
    # |row|^2 = .36 + .25 + .16 + bias .04 + residual .16 = .97
    assert column(rows, "share") == pytest.approx([0.36 / 0.97, 0.25 / 0.97, 0.16 / 0.97])
    assert column(rows, "cosine") == pytest.approx([w / math.sqrt(0.97) for w in (0.6, 0.5, 0.4)])
    # 8 planted words have a scientist weight, 10 a german one, 6 one for e-
    assert column(rows, "n_members") == [8, 10, 6]


def test_shares_bias_and_residual_add_to_one(run: Run) -> None:
    for latent in range(len(labels())):
        row = queries.latent(run, WIDE, latent)
        assert row is not None
        assert row.bias_share is not None
        assert row.residual_share is not None
        total = sum(column(queries.components(run, META, latent), "share"))
        assert total + row.bias_share + row.residual_share == pytest.approx(1)
    assert (BIAS, RESIDUAL) == (0.2, 0.4)  # the worked example above rests on them


def test_latent_without_component_has_an_empty_decomposition(run: Run) -> None:
    assert queries.components(run, META, NO_COMPONENT) == []


def test_members_of_german_by_weight_and_by_page(run: Run) -> None:
    rows = queries.members(run, META, GERMAN)
    assert column(rows, "label")[:3] == ["zweistein", "planck", "berlin"]
    assert column(rows, "activation")[:3] == pytest.approx([0.8, 0.7, 0.6])
    assert len(rows) == 10
    assert is_falling(column(rows, "activation"))
    pages = [queries.members(run, META, GERMAN, limit=4, offset=start) for start in (0, 4, 8, 12)]
    assert [len(page) for page in pages] == [4, 4, 2, 0]
    assert [n for page in pages for n in column(page, "latent")] == column(rows, "latent")


def test_members_and_components_are_the_same_pairs(run: Run) -> None:
    by_member = {
        (latent, meta_latent)
        for meta_latent in range(4)
        for latent in column(queries.members(run, META, meta_latent, limit=100), "latent")
    }
    by_latent = {
        (latent, meta_latent)
        for latent in range(32)
        for meta_latent in column(queries.components(run, META, latent), "meta_latent")
    }
    assert by_member == by_latent
    assert len(by_latent) == 46


def test_member_terms_weigh_f1_by_activation(run: Run) -> None:
    rows = queries.member_terms(run, META, GERMAN, limit=2)
    assert column(rows, "term") == ["zweistein", "planck"]
    assert column(rows, "weight") == pytest.approx([0.8 * 0.9, 0.7 * 0.9], rel=2e-3)
    assert column(rows, "n_members") == [1, 1]


def test_member_examples_say_which_member_fired(run: Run) -> None:
    rows = queries.member_examples(run, META, GERMAN, n_members=2, per_member=2)
    assert column(rows, "label") == ["zweistein", "zweistein", "planck", "planck"]
    assert column(rows, "weight") == pytest.approx([0.8, 0.8, 0.7, 0.7])
    assert column(rows, "text")[0] == "We met zweistein there."
    assert column(rows, "rank") == [0, 1, 0, 1]


def test_graph_joins_the_latent_its_meta_latents_and_their_members(run: Run) -> None:
    graph = queries.decomposition_graph(run, META, EINSTEIN, n_meta=2, n_members=2)
    roles = {node["node_id"]: node["role"] for node in graph.nodes}
    # scientist: curie .9 (2), darwin .8 (11); german: zweistein .8 (14), planck .7 (6)
    assert roles == {
        "sae-32/0": "latent",
        "meta-4/1": "meta",
        "meta-4/0": "meta",
        "sae-32/2": "member",
        "sae-32/11": "member",
        "sae-32/14": "member",
        "sae-32/6": "member",
    }
    edges = {(edge["source"], edge["target"]) for edge in graph.edges}
    assert edges == {
        ("sae-32/0", "meta-4/1"),
        ("sae-32/0", "meta-4/0"),
        ("sae-32/2", "meta-4/1"),
        ("sae-32/11", "meta-4/1"),
        ("sae-32/14", "meta-4/0"),
        ("sae-32/6", "meta-4/0"),
    }
    assert {*column(graph.edges, "source"), *column(graph.edges, "target")} == set(roles)


def test_member_of_two_shown_meta_latents_is_one_node_with_two_edges(run: Run) -> None:
    graph = queries.decomposition_graph(run, META, EINSTEIN)
    planck = [edge["target"] for edge in graph.edges if edge["source"] == "sae-32/6"]
    assert sorted(planck) == ["meta-4/0", "meta-4/1"]
    (node,) = (node for node in graph.nodes if node["node_id"] == "sae-32/6")
    assert node["weight"] == pytest.approx(0.7)  # the stronger of .7 german and .5 scientist


def test_centre_of_a_graph_does_not_count_among_the_members(run: Run) -> None:
    # planck (6) is the second of german's members: zweistein .8, planck .7, berlin .6, and röntgen
    graph = queries.decomposition_graph(run, META, 6, n_meta=1, n_members=2)
    assert column(graph.edges, "source") == ["sae-32/6", "sae-32/14", "sae-32/1"]
    assert column(graph.edges, "target") == ["meta-4/0"] * 3


def test_graph_of_a_latent_without_component_is_empty(run: Run) -> None:
    graph = queries.decomposition_graph(run, META, NO_COMPONENT)
    assert (graph.nodes, graph.edges) == ([], [])


def test_featured_follow_the_stated_rule(run: Run) -> None:
    rows = queries.featured_decompositions(run)
    # three parts: einstein, euler (scientist), einsteinium (e-), erfurt (city); euler has a weight
    # of .3 with stability .5 and shares einstein's strongest component, so only einstein stays;
    # erfurt fires on one token in 100, which is what function words do
    assert column(rows, "label") == ["einstein", "einsteinium"]
    assert is_falling(column(rows, "quality"))
    assert rows[0]["quality"] == pytest.approx(1 - 0.16 / 0.97)  # all stabilities 1
    assert len(queries.featured_decompositions(run, n=1)) == 1


@pytest.mark.parametrize(
    ("limit", "offset", "rows"), [(-5, 0, 1), (0, -9, 1), (10**9, 0, 10), (5, 10**18, 0)]
)
def test_limits_are_held_within_bounds(run: Run, limit: int, offset: int, rows: int) -> None:
    assert len(queries.members(run, META, GERMAN, limit, offset)) == rows
