"""The little English grammar that fact sentences need: articles, plurals, verb forms, lists."""

import re
from collections.abc import Sequence

VOWEL_LETTERS = frozenset("aeiou")
# Spelled with a vowel, spoken with "y" or "w": they take "a".
CONSONANT_SOUND = re.compile(r"eu|uni(?!n)|us[eu]|uten|uk|ura|ux\b|one\b|once\b", re.IGNORECASE)
# Spelled with a consonant, spoken with a vowel: they take "an".
VOWEL_SOUND = re.compile(r"hono|hour|heir|8|11\b|18\b|x-ray", re.IGNORECASE)
ARTICLE_SLOT = re.compile(r"\b([Aa])\(n\) (\w[\w'-]*)")

IRREGULAR_PLURALS = {
    "bison": "bison", "caribou": "caribou", "carp": "carp", "cod": "cod", "deer": "deer",
    "elk": "elk", "goldfish": "goldfish", "goose": "geese", "jellyfish": "jellyfish",
    "louse": "lice", "mackerel": "mackerel", "moose": "moose", "mouse": "mice", "ox": "oxen",
    "salmon": "salmon", "sheep": "sheep", "shrimp": "shrimp", "squid": "squid",
    "starfish": "starfish", "swordfish": "swordfish", "trout": "trout", "tuna": "tuna",
    "wolf": "wolves", "calf": "calves", "leaf": "leaves", "knife": "knives", "midwife": "midwives",
    "tooth": "teeth", "batsman": "batsmen", "larva": "larvae", "catfish": "catfish", "fry": "fry",
    "mantis": "mantises", "buffalo": "buffaloes", "mosquito": "mosquitoes", "flamingo": "flamingos",
    "mongoose": "mongooses", "hippopotamus": "hippopotamuses", "walrus": "walruses",
    "wildebeest": "wildebeest", "mango": "mangoes", "potato": "potatoes", "tomato": "tomatoes",
    "ibex": "ibexes", "lynx": "lynxes", "platypus": "platypuses", "reindeer": "reindeer",
}  # fmt: skip
DOUBLED_CONSONANT = frozenset(
    {"cut", "dig", "fit", "get", "map", "plan", "put", "run", "set", "trap", "trim"}
)
OBJECT_PRONOUNS = {"he": "him", "she": "her", "it": "it"}
POSSESSIVE_PRONOUNS = {"he": "his", "she": "her", "it": "its"}
COUNTRIES_WITH_ARTICLE = frozenset({
    "Central African Republic", "Czech Republic", "Democratic Republic of the Congo",
    "Dominican Republic", "Ivory Coast", "Netherlands", "Philippines", "Solomon Islands",
    "United Arab Emirates", "United Kingdom", "United States",
})  # fmt: skip
PLACES_WITH_ON = frozenset({
    "airplane", "bus", "construction site", "excavation site", "farm", "field", "highway",
    "oil field", "ranch", "ship", "street", "streetcar", "train",
})  # fmt: skip
PLACES_WITH_AT = frozenset({
    "airport", "camp", "circus", "concert hall", "nuclear power plant", "police station", "port",
    "power station", "radio station", "railway station", "stadium", "supermarket", "university",
    "zoo", "florist",
})  # fmt: skip


def indefinite_article(word: str) -> str:
    """Return "a" or "an" by the sound that starts `word`."""
    if CONSONANT_SOUND.match(word):
        return "a"
    return "an" if VOWEL_SOUND.match(word) or word[0].lower() in VOWEL_LETTERS else "a"


def with_articles(text: str) -> str:
    """Replace every `a(n) word` by `a word` or `an word`, keeping a capital A."""

    def resolve(match: re.Match[str]) -> str:
        article = indefinite_article(match[2])
        return f"{article.capitalize() if match[1] == 'A' else article} {match[2]}"

    return ARTICLE_SLOT.sub(resolve, text)


def plural(noun: str) -> str:
    """Return the plural of a noun phrase; the last word carries the ending."""
    head, space, last = noun.rpartition(" ")
    if last in IRREGULAR_PLURALS:
        return head + space + IRREGULAR_PLURALS[last]
    return head + space + _with_s(last)


def third_person(phrase: str) -> str:
    """Turn "bake bread" into "bakes bread", and "design and build" into "designs and builds"."""
    words = phrase.split(" ")
    words[0] = _with_s(words[0])
    if len(words) > 2 and words[1] == "and":
        words[2] = _with_s(words[2])
    return " ".join(words)


def gerund(phrase: str) -> str:
    """Turn "bake bread" into "baking bread"."""
    words = phrase.split(" ")
    words[0] = _with_ing(words[0])
    if len(words) > 2 and words[1] == "and":
        words[2] = _with_ing(words[2])
    return " ".join(words)


def possessive(name: str) -> str:
    """Return `name` in the possessive: "Marie Curie's", "its", "the Netherlands'"."""
    if name in POSSESSIVE_PRONOUNS:
        return POSSESSIVE_PRONOUNS[name]
    return f"{name}'" if name.startswith("the ") and name.endswith("s") else f"{name}'s"


def object_form(name: str) -> str:
    """Return the form used after a verb: "him" for "he", a name unchanged."""
    return OBJECT_PRONOUNS.get(name, name)


def with_the(country: str) -> str:
    """Add "the" to the countries that need it: "the Netherlands", but "Norway"."""
    return f"the {country}" if country in COUNTRIES_WITH_ARTICLE else country


def without_the(name: str) -> str:
    """Drop a leading "the": "the Louvre" becomes "Louvre"."""
    return name.removeprefix("the ")


def located(place: str) -> str:
    """Turn a place of work into a phrase with its preposition: "on a farm", "in parliament"."""
    if place == "parliament":
        return "in parliament"
    if place in PLACES_WITH_ON:
        return with_articles(f"on a(n) {place}")
    return with_articles(f"{'at' if place in PLACES_WITH_AT else 'in'} a(n) {place}")


def listing(names: Sequence[str]) -> str:
    """Join names as in a sentence: "Berlin, Munich and Vienna"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def capitalised(sentence: str) -> str:
    """Raise the first letter and leave the rest alone."""
    return sentence[:1].upper() + sentence[1:]


def decade(year: str) -> str:
    """Return the decade of a year as words: "the 1920s" for "1921"."""
    return f"the {year[:-1]}0s"


def _with_s(word: str) -> str:
    if word.endswith("y") and word[-2] not in VOWEL_LETTERS:
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")) or word in {"do", "go"}:
        return word + "es"
    return word + "s"


def _with_ing(word: str) -> str:
    if word in DOUBLED_CONSONANT:
        return word + word[-1] + "ing"
    if word.endswith("ie"):
        return word[:-2] + "ying"
    if word.endswith("e") and not word.endswith(("ee", "oe")):
        return word[:-1] + "ing"
    return word + "ing"
