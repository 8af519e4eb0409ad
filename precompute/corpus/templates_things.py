"""Sentence patterns for physical objects, foods, tools and musical instruments."""

from precompute.corpus.patterns import PatternSet

OBJECTS = PatternSet(
    opening=(
        "{one} is usually {colour}",
        "Most people picture {one} as something {colour}",
        "{one} is {texture} to the touch",
        "To a child with crayons, {one} is {colour}",
        "The usual colour of {one} is {colour}",
        "Touch {one} and it feels {texture}",
        "Think of {one}: the first colour that comes to mind is {colour}",
        "A painter who wants to show {one} reaches for {colour} paint",
        "Somewhere in the picture is something {colour}, and it could be {one}",
        "A careful drawing of {one} needs a(n) {colour} pencil",
        "When we say {name}, we think of something {texture}",
    ),
    detail=(
        "It feels {texture} in the hand",
        "Its size is best given in {size}",
        "It counts as a kind of {category}",
        "One would measure it in {size}",
        "Its colour is {colour}",
        "In a museum it would be filed under the heading {category}",
        "Its surface is {texture} rather than the opposite",
        "Anyone can tell that it is {colour}",
        "A ruler marked in {size} suits it best",
        "Of the words hard and soft, {texture} is the one that fits",
        "In a list of things, it would stand under {category}",
        "By day or by lamplight, it looks {colour}",
        "Almost everyone would know it at a glance",
        "A picture book might show it on its own page",
    ),
    shared={
        "colour": (
            "{names} are {all} {colour}",
            "{colour} is the colour of {names}",
            "Like {peers}, {one} is {colour}",
            "A(n) {colour} picture could show {names}",
        ),
        "category": (
            "{names} can {all} be listed as a kind of {category}",
            "Under the heading {category} we find {names}",
        ),
    },
    contrast={
        "colour": (
            "{first} is {first_colour}, while {second} is {second_colour}",
            "Paint {first} in {first_colour} and {second} in {second_colour}",
        ),
        "texture": ("{first} is {first_texture}, but {second} is {second_texture}",),
        "category": (
            "{first} is a kind of {first_category}; {second} is a kind of {second_category}",
        ),
    },
    again=("it",),
    noun="column",
    countable_only=frozenset({"size"}),
)

FOODS = PatternSet(
    opening=(
        "{one} is a kind of {kind}",
        "{one} tastes {taste}",
        "The {kind} known as {name} comes from {origin}",
        "{one} is often served {served}",
        "Cooks describe the taste of {one} as {taste}",
        "From {origin} comes the {kind} called {name}",
        "In many homes {one} is served {served}",
        "The story of {name} begins in {origin}",
        "Ask for {one} and you get a(n) {kind} that tastes {taste}",
        "Menus list {one} under the heading {kind}",
        "People who like {taste} food are fond of {name}",
        "Guests are happy when {one} is served {served}",
    ),
    detail=(
        "Its home is {origin}",
        "It tastes {taste}",
        "It is often served {served}",
        "It is a kind of {kind}",
        "Its flavour is {taste}",
        "Many people like it best {served}",
        "Its history leads back to {origin}",
        "A cook would call it a(n) {kind}",
        "The first bite or sip is {taste}",
        "In {origin} people have known it for a long time",
        "Restaurants offer it {served}",
        "Shops sell it next to every other {kind}",
        "Cookery books have a page on it",
        "Few people refuse it when they are hungry",
    ),
    shared={
        "kind": (
            "{names} are {all} kinds of {kind}",
            "Like {peers}, {one} is a kind of {kind}",
            "Under the word {kind} we find {names}",
        ),
        "origin": (
            "{names} {all} come from {origin}",
            "{origin} gave the world {names}",
            "A meal in honour of {origin} might include {names}",
        ),
        "taste": ("{names} {all} taste {taste}",),
        "served": ("{names} are {all} served {served}",),
    },
    contrast={
        "origin": ("{first} comes from {first_origin}, while {second} comes from {second_origin}",),
        "taste": ("{first} tastes {first_taste}, but {second} tastes {second_taste}",),
        "served": ("{first} is served {first_served}, and {second} {second_served}",),
        "kind": ("{first} is a kind of {first_kind}, whereas {second} is a kind of {second_kind}",),
    },
    again=("it",),
    noun="column",
)

TOOLS = PatternSet(
    opening=(
        "{one} is used to {use}",
        "A(n) {trade} uses {one} to {use}",
        "Every {trade} knows how to handle {one}",
        "To {use}, a(n) {trade} picks up {one}",
        "Among the things that a(n) {trade} needs, {one} has its place",
        "{one} is made of {material}",
        "The {trade} reached for the {name}",
        "With {one}, anyone can learn to {use}",
        "The right tool for a(n) {trade} is often {one}",
        "{name:plural} help people {use}",
    ),
    detail=(
        "{again} is used to {use}",
        "{again} is made of {material}",
        "A(n) {trade} could hardly work without {again:object}",
        "{again:s} job is to {use}",
        "Most of them are made of {material}",
        "{again} belongs to the equipment of a(n) {trade}",
        "A shop for {trade:plural} will sell one",
        "Makers of {name:plural} work with {material}",
        "When {again} breaks, it becomes hard to {use}",
        "A good one lasts for many years",
        "It should be kept clean and dry",
    ),
    shared={
        "trade": (
            "{names} are {all} tools of a(n) {trade}",
            "A(n) {trade} owns {names}",
            "A(n) {trade} works with {peers} as well as with {one}",
        ),
        "material": (
            "{names} are {all} made of {material}",
            "Makers use {material} for {names}",
        ),
    },
    contrast={
        "trade": (
            "{first} belongs to a(n) {first_trade}, while {second} belongs to a(n) {second_trade}",
        ),
        "use": ("One needs {first} to {first_use} and {second} to {second_use}",),
        "material": (
            "{first} is made of {first_material}, but {second} is made of {second_material}",
        ),
    },
    again=("it", "the {name}"),
    noun="count",
)

INSTRUMENTS = PatternSet(
    opening=(
        "{one} is a(n) {family} instrument",
        "The {name} is played {played}",
        "A musician who plays the {name} is called a(n) {player}",
        "{name:plural} are made of {material}",
        "The sound of the {name} is made {played}",
        "In the orchestra or the band, the {name} belongs to the {family} group",
        "A(n) {player} makes music {played}",
        "The {player} tuned the {name} before the concert",
        "Music shops sell the {name} as a(n) {family} instrument",
        "Learning the {name} takes years of practice",
    ),
    detail=(
        "{again} is made of {material}",
        "{again} is a(n) {family} instrument",
        "{again} is played {played}",
        "Whoever plays {again:object} is known as a(n) {player}",
        "The {player} produces the sound {played}",
        "Makers of {name:plural} work with {material}",
        "{again} counts among the {family} instruments",
        "A good {player} practises every day",
        "The {name} owes its tone to {material}",
        "Music is drawn from {again:object} {played}",
        "A good one can be very expensive",
        "Beginners find {again:object} hard to play in tune",
    ),
    shared={
        "family": (
            "{names} are {all} {family} instruments",
            "The {family} group includes {names}",
            "Like {peers}, {one} is a(n) {family} instrument",
        ),
        "material": ("{names} are {all} made of {material}",),
        "played": ("{names} are {all} played {played}",),
    },
    contrast={
        "family": (
            "{first} is a(n) {first_family} instrument, {second} a(n) {second_family} instrument",
        ),
        "played": ("{first} is played {first_played}, while {second} is played {second_played}",),
        "player": ("{first} is played by a(n) {first_player}, {second} by a(n) {second_player}",),
    },
    again=("it", "the instrument", "the {name}"),
    noun="count",
)
