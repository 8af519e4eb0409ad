"""Five questions of a researcher, each answered by clicks alone once a word is typed."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Visit, eventually
from tests.planted_terms import MONEY, RIVER

Visitor = Callable[..., Visit]
FIRST_HIT = ".hits li:first-child .id"


def search(visit: Visit, text: str) -> None:
    visit.open("")
    visit.submit('.find.big input[name="q"]', text, "q=")
    visit.heading(text)


def hits(visit: Visit) -> list[str]:
    return visit.page.locator(".hits .id").all_inner_texts()


def test_which_latents_fire_on_bank_as_a_rivers_edge_rather_than_money(visitor: Visitor) -> None:
    visit = visitor()
    search(visit, "bank")
    assert eventually(lambda: set(hits(visit)) == {f"sae-32/{RIVER}", f"sae-32/{MONEY}"})
    visit.click(".pills >> text='river bank'", "q=river")
    visit.heading("river bank")
    assert eventually(lambda: hits(visit)[:1] == [f"sae-32/{RIVER}"])
    assert f"sae-32/{MONEY}" not in hits(visit)


def test_which_latents_share_german_with_einstein(visitor: Visitor) -> None:
    visit = visitor()
    search(visit, "einstein")
    visit.click(".hits li:first-child a.name", "/latent?")
    visit.heading("einstein")
    row = visit.page.locator("table.parts tr", has_text="german")
    row.locator("a.add").first.click()
    visit.page.wait_for_url("**/ask?**with=meta-4**")
    visit.heading("Ask with meta-latents")
    assert eventually(lambda: visit.page.locator(".hits .name").count() > 0)
    names = visit.page.locator(".hits .name").all_inner_texts()
    # the six with most of it: german .8 in zweistein, .7 planck, .6 berlin, röntgen, munich
    assert names[0] == "zweistein"
    assert {"einstein", "planck", "berlin", "röntgen", "munich"} <= set(names)
    assert "curie" not in names


def test_what_is_the_counterpart_of_a_german_city_among_scientists(visitor: Visitor) -> None:
    """As "the French counterpart of a German scientist": one part goes, another takes its place."""
    visit = visitor()
    search(visit, "hamburg")
    visit.click(".hits li:first-child a.name", "/latent?")
    visit.heading("hamburg")
    row = visit.page.locator("table.parts tr", has_text="city")
    row.locator("a.add").nth(1).click()
    visit.page.wait_for_url("**/ask?**minus=**")
    visit.heading("Take a part away, add another")
    visit.click(".pills:has-text('put in its place') >> text='scientist'", "plus=")
    nearest = visit.page.locator("table.plain").first.locator("tbody th")
    # hamburg is .5 german + .6 city; planck, .7 german + .5 scientist, is its like
    assert eventually(lambda: nearest.all_inner_texts()[:1] in (["planck"], ["röntgen"]))


def test_which_parts_are_spelling_and_which_are_meaning(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("")
    visit.click(".stops >> text=spelling rather than a meaning", "naming=spelling")
    assert eventually(lambda: hits(visit) == ["meta-4/2"])  # words in e-
    visit.page.click(".facet summary:has-text('Name speaks of')")
    facet = visit.page.locator(".facet:has-text('Name speaks of')")
    if not facet.locator("text='a meaning'").is_visible():
        visit.page.click(".facet summary:has-text('Name speaks of')")
    visit.click(".facet >> text='a meaning'", "naming=meaning")
    assert eventually(lambda: sorted(hits(visit)) == ["meta-4/0", "meta-4/1", "meta-4/3"])


def test_what_does_the_largest_sae_know_that_the_smallest_does_not_about_a_word(
    visitor: Visitor,
) -> None:
    visit = visitor()
    visit.open("")
    visit.click(".stops >> text=sae-32 know that sae-8 does not", "novelty=novel")
    visit.heading("All latents and meta-latents")
    assert eventually(lambda: bool(hits(visit)))
    everything = hits(visit)
    visit.submit('.topbar input[name="q"]', "e", "q=e")
    visit.heading("e")
    assert "novelty=novel" in visit.page.url  # the filters stay while the text changes
    assert eventually(lambda: 0 < len(hits(visit)) <= len(everything))
    assert visit.page.locator(".chip").count() == 2
