"""Sentence patterns for animals, chemical elements and bodies in the sky."""

from precompute.corpus.patterns import PatternSet

ANIMALS = PatternSet(
    opening=(
        "{one} is a(n) {group} that {trait}",
        "The {name} is a(n) {group} that lives {habitat}",
        "{name:plural} live {habitat}",
        "A young {name} is called a(n) {young}",
        "The {name} {trait}",
        "Somewhere {habitat}, the {name} looks for {diet}",
        "{name:plural} feed on {diet}",
        "Anyone who looks for {name:plural} should search {habitat}",
        "A(n) {young} is the young of the {name}",
        "Hungry {name:plural} look for {diet}",
        "Of all the creatures that live {habitat}, the {name} is one to remember",
        "Zoologists class the {name} as a(n) {group}",
    ),
    detail=(
        "{again} {trait}",
        "{again} eats {diet}",
        "{again:s} home is {habitat}",
        "{again:s} food is {diet}",
        "{again:s} young is known as a(n) {young}",
        "{again} belongs to the same large group as every other {group}",
        "A mother guards her {young} with care, or leaves it to find its own way",
        "{name:plural} are found {habitat}",
        "Children remember {again:object} as the animal that {trait}",
        "A(n) {young} grows up to be {one}",
        "Biologists describe {again:object} as a(n) {group}",
        "Without {diet}, {again} would starve",
        "One can watch {again:object} {habitat}",
        "Children like to draw {again:object}",
        "Many stories have been told about {again:object}",
    ),
    shared={
        "group": (
            "{names} are {all} kinds of {group}",
            "Like {peers}, {one} is a(n) {group}",
            "The word {group} covers {names}",
        ),
        "habitat": (
            "{names} {all} live {habitat}",
            "Look {habitat} to see {names}",
        ),
        "diet": (
            "{names} {all} eat {diet}",
            "What {names} {all} like to eat is {diet}",
        ),
        "young": (
            "{young} is the word for the young of {names}",
            "The young of {names} are {all} called {young:plural}",
        ),
    },
    contrast={
        "habitat": ("{first} lives {first_habitat}, while {second} lives {second_habitat}",),
        "diet": ("{first} eats {first_diet}, but {second} eats {second_diet}",),
        "young": (
            "The young of {first} is a(n) {first_young}, and the young of {second} is "
            "a(n) {second_young}",
        ),
        "trait": ("{first} {first_trait}, whereas {second} {second_trait}",),
    },
    again=("it", "the animal", "the {name}"),
    noun="count",
)

ELEMENTS = PatternSet(
    opening=(
        "{name} is a chemical element with the symbol {symbol}",
        "The symbol for {name} is {symbol}",
        "{name} is a(n) {group}",
        "{name} is used {use}",
        "Element number {number} is {name}",
        "Chemists write {symbol} when they mean {name}",
        "At room temperature, {name} is a(n) {state}",
        "An atom of {name} has a nucleus with {number} protons",
        "In the periodic table, {name} has the number {number}",
        "People use {name} {use}",
        "The abbreviation {symbol} stands for {name}",
    ),
    detail=(
        "Its atomic number is {number}",
        "{again} is used {use}",
        "It is classed as a(n) {group}",
        "Under normal conditions it is a(n) {state}",
        "Its chemical symbol is {symbol}",
        "Industry needs {again:object} {use}",
        "In the periodic table it is marked {symbol}",
        "Each of its atoms holds {number} protons",
        "Pure {name} is a(n) {state} on a warm day",
        "{again} can be found {use}",
        "Chemistry books list {again:object} as a(n) {group}",
        "Chemists have studied {again:object} for many years",
        "Students meet {again:object} in chemistry lessons",
    ),
    shared={
        "group": (
            "{names} {all} belong to one group: each is a(n) {group}",
            "Like {peers}, {name} is a(n) {group}",
            "A(n) {group} is an element such as {names}",
        ),
        "state": ("{names} are {all} {state:plural} at room temperature",),
        "use": ("{names} are {all} used {use}",),
    },
    contrast={
        "symbol": ("The symbol of {first} is {first_symbol}, that of {second} is {second_symbol}",),
        "number": (
            "{first} has the number {first_number} and {second} the number {second_number}",
        ),
        "use": ("{first} is used {first_use}, while {second} is used {second_use}",),
        "group": ("{first} is a(n) {first_group}, whereas {second} is a(n) {second_group}",),
    },
    again=("it", "the element", "{name}"),
)

SKY = PatternSet(
    opening=(
        "{name} is a(n) {kind} that {trait}",
        "{name} is a(n) {kind} that moves around {orbits}",
        "Astronomers know that {name} {trait}",
        "Around {orbits} moves {name}",
        "Telescopes show {name}, a(n) {kind}",
        "Space probes and telescopes have studied {name}",
        "{name} travels round and round {orbits}",
        "The gravity of {orbits} holds {name} in its path",
        "One {kind} is called {name}",
    ),
    detail=(
        "{again} {trait}",
        "It is a(n) {kind}",
        "Its path leads around {orbits}",
        "Scientists have noted that it {trait}",
        "{orbits} is the body around which {again} moves",
        "Textbooks list {again:object} as a(n) {kind}",
        "No spacecraft could mistake it: it {trait}",
        "{again} never leaves its orbit around {orbits}",
        "Astronomers have drawn careful maps of {again:object}",
        "Many people would love to see {again:object} through a telescope",
    ),
    shared={
        "kind": (
            "{names} are {all} of one kind: each is a(n) {kind}",
            "Like {peers}, {name} is a(n) {kind}",
        ),
        "orbits": (
            "{names} {all} move around {orbits}",
            "{orbits} is circled by {names}",
        ),
    },
    contrast={
        "orbits": (
            "{first} moves around {first_orbits}, while {second} moves around {second_orbits}",
        ),
        "trait": ("{first} {first_trait}, but {second} {second_trait}",),
        "kind": ("{first} is a(n) {first_kind}, whereas {second} is a(n) {second_kind}",),
    },
    again=("it", "{name}"),
)
