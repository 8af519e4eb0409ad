"""Sentence patterns for cities, countries and landmarks."""

from precompute.corpus.patterns import PatternSet

CITIES = PatternSet(
    opening=(
        "{name} is a city in {country:the}",
        "{name} lies in {country:the}, on the continent of {continent}",
        "In {name}, a city of {country:the}, many people speak {language}",
        "Among the cities of {country:the} is {name}",
        "A traveller who goes to {name} has arrived in {country:the}",
        "{name} belongs to {country:the}",
        "Anyone who lives in {name} soon needs some {language}",
        "Trains and roads connect {name} with the rest of {country:the}",
        "The streets of {name} are full of voices speaking {language}",
        "{country:the.s} map shows {name} at about {latitude} degrees of latitude",
        "One of the places to visit in {continent} is {name}",
        "Letters for {name} should carry the name of {country:the} in the address",
        "The mayor of {name} governs a city in {country:the}",
    ),
    detail=(
        "{again:s} main language is {language}",
        "Signs in the shops of {name} are often written in {language}",
        "{again} is found in {continent}",
        "Visitors to {name} hear {language} in the markets",
        "{again} stands in the {hemisphere} hemisphere, about {latitude} degrees from the equator",
        "The equator is roughly {latitude} degrees of latitude away from {again:object}",
        "People born in {name} usually grow up speaking {language}",
        "On a globe, {name} sits in the {hemisphere} half of the world",
        "Children in {name} learn {language} at school",
        "A map of {continent} would show {again:object}",
        "The newspapers of {name} appear in {language}",
        "Travellers in {continent} sometimes stop at {name}",
        "{again:s} citizens pay their taxes to the government of {country:the}",
        "The place of {name} on the globe is in the {hemisphere} hemisphere",
        "There is plenty to see on a walk through {again:object}",
        "Every year travellers come to {again:object} for the first time",
    ),
    shared={
        "country": (
            "{names} are {all} cities in {country:the}",
            "Like {peers}, {name} is a city of {country:the}",
            "{country:the} is home to {names}",
            "{name} shares its country, {country:the}, with {peers}",
        ),
        "language": (
            "{names} are {all} places where {language} is spoken",
            "{language} is heard in the streets of {names}",
            "Someone who speaks {language} can ask the way in {names}",
            "The people of {name} share their language, {language}, with those of {peers}",
        ),
        "continent": (
            "{names} are {all} cities of {continent}",
            "{continent} includes {names}",
        ),
        "latitude": ("{names} {all} lie about {latitude} degrees from the equator",),
    },
    contrast={
        "country": (
            "{first} lies in {first_country:the}, while {second} is in {second_country:the}",
            "To go from {first} to {second} is to travel from {first_country:the} "
            "to {second_country:the}",
        ),
        "language": (
            "People in {first} mostly speak {first_language}, but in {second} they "
            "speak {second_language}",
            "{first_language} is the language of {first}; {second_language} is that of {second}",
        ),
        "continent": (
            "{first} is in {first_continent}, whereas {second} is in {second_continent}",
        ),
        "latitude": (
            "{first} is about {first_latitude} degrees from the equator and {second} is "
            "about {second_latitude}",
        ),
    },
    again=("it", "the city", "{name}", "this city"),
)

COUNTRIES = PatternSet(
    opening=(
        "{capital} is the capital of {name:the}",
        "The capital of {name:the} is {capital}",
        "{name:the} is a country in {continent}, and its capital is {capital}",
        "{name:the.s} government sits in {capital}",
        "{people} speak {language} and pay with the {currency}",
        "In {name:the}, the most common official language is {language}",
        "The people of {name:the} are called {people}",
        "{name:the} lies in {continent}",
        "Travellers to {name:the} change their money into the {currency}",
        "{continent} includes {name:the}, whose people are called {people}",
        "A(n) {language} phrase book is useful in {name:the}",
    ),
    detail=(
        "{again:s} capital, {capital}, is the seat of the government",
        "The money used there is the {currency}",
        "Prices in {again:object} are given in the {currency}",
        "{people} learn {language} at school",
        "On a map of {continent}, {again} is not hard to find",
        "{again:s} citizens are known as {people}",
        "Embassies and ministries are found in {capital}",
        "{language} is used in {again:s} schools and courts",
        "A(n) {adjective} passport is issued to {again:s} citizens",
        "Many {adjective} newspapers are printed in {language}",
        "{adjective} football fans wave the flag of {name:the}",
        "The president or prime minister works in {capital}",
        "{again} belongs to {continent}",
        "{people} carry the {currency} in their pockets",
        "The flag of {name:the} flies over public buildings",
        "Every year tourists cross the border to see {again:object}",
    ),
    shared={
        "language": (
            "{names} {all} use {language}",
            "{language} is an official language of {names}",
            "Like {peers}, {name:the} uses {language}",
        ),
        "currency": (
            "{names} {all} have a currency called the {currency}",
            "The word {currency} names the money of {names}",
            "{name:the} and {peers} print banknotes in a currency called the {currency}",
        ),
        "continent": (
            "{names} are {all} countries of {continent}",
            "Among the countries of {continent} are {names}",
            "{name:the} lies on the same continent as {peers}",
        ),
    },
    contrast={
        "capital": (
            "{first_capital} is the capital of {first}, while {second} is governed "
            "from {second_capital}",
            "The capital of {first} is {first_capital} and that of {second} is {second_capital}",
        ),
        "currency": (
            "{first_people} pay with the {first_currency}, {second_people} with "
            "the {second_currency}",
        ),
        "language": (
            "{first_people} speak {first_language}, whereas {second_people} "
            "speak {second_language}",
        ),
    },
    again=("it", "the country", "{name:the}"),
    noun="country",
)

LANDMARKS = PatternSet(
    opening=(
        "{name} is a(n) {kind} in {place}, {country}",
        "Visitors to {place} go to see {name}",
        "In {place} stands {name}, which {trait}",
        "{name} {trait}",
        "Many postcards from {country} show {name}",
        "The most famous {kind} of {place} may be {name}",
        "Tourists in {country} queue to visit {name}",
        "Photographs of {name} have made {place} famous",
        "Guides in {place} lead their groups to {name}",
        "A(n) {kind} known as {name} draws crowds to {country}",
    ),
    detail=(
        "{again} {trait}",
        "{again} is one of the best known sights in {country}",
        "It is a(n) {kind}",
        "The {kind} can be found in {place}",
        "People in {place} see {again:object} every day",
        "Few travellers leave {country} without a picture of {again:object}",
        "Guidebooks describe it as a(n) {kind} that {trait}",
        "School classes from all over {country} come to look at {again:object}",
        "Artists in {place} draw it for the tourists",
        "Few people forget their first visit",
        "Souvenir shops sell small models of {again:object}",
    ),
    shared={
        "country": (
            "{names} are {all} famous sights of {country}",
            "A tour of {country} could take in {names}",
            "Like {peers}, {name} is found in {country}",
        ),
        "place": (
            "{names} can {all} be visited in {place}",
            "{place} is proud of {names}",
        ),
        "kind": (
            "{names} are {all} examples of the same kind of sight: each is a(n) {kind}",
            "A(n) {kind} is what one finds at {names}",
        ),
    },
    contrast={
        "country": ("{first} is in {first_country}, while {second} is in {second_country}",),
        "place": (
            "To see {first} one goes to {first_place}; for {second} one goes to {second_place}",
        ),
        "trait": ("{first} {first_trait}, while {second} {second_trait}",),
    },
    again=("it", "{name}"),
)
