"""Sentence patterns for laureates, scientists, artists and monarchs."""

from precompute.corpus.patterns import PatternSet

LAUREATES = PatternSet(
    opening=(
        "{name} won {field:prize} in {award_year}",
        "In {award_year}, {field:prize} went to {name}",
        "{name}, a(n) {field:role} born in {country:the}, was awarded a Nobel Prize",
        "{name} was born in {country:the} in {birth_year}",
        "The {field:role} {name} received a Nobel Prize in {award_year}",
        "A Nobel Prize in {award_year} honoured {name}",
        "Among the winners of {field:prize} is {name}",
        "The year {award_year} brought {name} a Nobel Prize",
        "Born in {birth_year}, {name} later won {field:prize}",
        "{country:the} was the birthplace of {name}, a Nobel laureate of {award_year}",
        "Stockholm and Oslo are the cities of the Nobel Prizes, and {name} won one "
        "of them in {award_year}",
        "When {name} won {field:prize}, {he} was about {age} years old",
        "Students who read about the {field:roles} of the past soon meet {name}",
    ),
    detail=(
        "{again} was born in {country:the}",
        "{again} was about {age} years old at the time of the award",
        "{again:s} life began in {country:the} in {birth_year}",
        "{again} is remembered as a(n) {field:role}",
        "The award of {award_year} made {again:object} known around the world",
        "The prize came to {again:object} in {award_year}",
        "{his} birthplace was in {country:the}",
        "{again} came into the world in {birth_year}",
        "The honour given to {again:object} was {field:prize}",
        "{country:the} counts {again:object} among the people born there",
        "{again} grew up in {birth_year:decade} and the years that followed",
        "{his} work as a(n) {field:role} earned the honour",
        "At the age of about {age}, {again} had reached the height of fame",
        "A biography of {again:object} opens in {country:the}",
        "Many libraries own a book about {again:object}",
        "{his} name is found in every list of laureates",
    ),
    shared={
        "field": (
            "{names} {all} won {field:prize}",
            "The list of {field:roles} who won a Nobel Prize includes {names}",
            "{field:prize} went, in different years or together, to {names}",
            "Like {peers}, {name} received {field:prize}",
        ),
        "country": (
            "{names} were {all} born in {country:the}",
            "{country:the} is the country of birth of {names}",
            "{name} came from the same country as {peers}",
        ),
        "award_year": (
            "{names} {all} won a Nobel Prize in {award_year}",
            "In {award_year} the winners of Nobel Prizes included {names}",
            "{name} received the prize in the same year as {peers}",
        ),
        "birth_year": ("{names} were {all} born in {birth_year}",),
    },
    contrast={
        "country": ("{first} was born in {first_country:the}, {second} in {second_country:the}",),
        "award_year": (
            "{first} was honoured in {first_award_year} and {second} in {second_award_year}",
            "The prize of {first_award_year} went to {first}, that of {second_award_year} "
            "to {second}",
        ),
        "field": (
            "{first} was a(n) {first_field:role}, while {second} was a(n) {second_field:role}",
        ),
        "birth_year": ("{first} was born in {first_birth_year}, {second} in {second_birth_year}",),
    },
    again=("{he}", "{he}", "{surname}", "{surname}"),
)

SCIENTISTS = PatternSet(
    opening=(
        "{name} was a(n) {nationality} {field:role}",
        "{name} is best known for {known_for}",
        "The {nationality} {field:role} {name} is remembered for {known_for}",
        "In the history of {field}, few names shine like that of {name}",
        "{field} owes a great deal to {name}",
        "Every student of {field} hears of {name}",
        "Teachers of {field} often speak of {name}",
        "We link the name of {name} with {known_for}",
        "A portrait of {name} hangs in many a school of {field}",
        "Books about {field} praise {name}",
        "What made {name} famous was {known_for}",
    ),
    detail=(
        "{again} worked in {field}",
        "{his} fame rests on {known_for}",
        "{again} is counted among the great {nationality} thinkers",
        "People remember {again:object} for {known_for}",
        "As a(n) {field:role}, {he} changed the way people see the world",
        "{again:s} ideas are still taught in classes on {field}",
        "{again} was {nationality}",
        "Without {again:object}, the story of {field} would be poorer",
        "Much of {his} fame comes from {known_for}",
        "Other {field:roles} built on what {again} had found",
        "The {nationality} {field:role} is still widely quoted today",
        "Streets and schools have been named after this {nationality} pioneer",
        "Many books have been written about {again:object}",
        "{his} name is still heard in lecture halls",
    ),
    shared={
        "field": (
            "{names} were {all} important in {field}",
            "{field} was shaped by {names}",
            "Like {peers}, {name} was a(n) {field:role}",
            "Great {field:roles} of the past include {names}",
        ),
        "nationality": (
            "{names} were {all} {nationality}",
            "The {nationality} thinkers {names} are known across the world",
            "Like {peers}, {name} was {nationality}",
        ),
    },
    contrast={
        "field": ("{first} worked in {first_field}, while {second} turned to {second_field}",),
        "nationality": ("{first} was {first_nationality} and {second} was {second_nationality}",),
        "known_for": (
            "{first} is remembered for {first_known_for}, {second} for {second_known_for}",
        ),
    },
    again=("{he}", "{he}", "{surname}"),
)

ARTISTS = PatternSet(
    opening=(
        "{name} was a(n) {nationality} {art}",
        "{name} is famous for {known_for}",
        "The {nationality} {art} {name} is known for {known_for}",
        "Of all {art:plural}, {name} is one of the best loved",
        "{known_for} made {name} famous",
        "Lovers of the arts around the world admire {name}",
        "Few {art:plural} are as famous as {name}",
        "To know the {nationality} arts is to know {name}",
        "Every history of the arts has a chapter on {name}",
        "The {art} {name} lives on in {known_for}",
    ),
    detail=(
        "{his} best known achievement is {known_for}",
        "{again} was {nationality}",
        "{again} earned {his} fame as a(n) {art}",
        "The world remembers {again:object} for {known_for}",
        "Young {art:plural} still learn from {again:object}",
        "{nationality} schoolchildren learn {his} name",
        "Critics often begin with {known_for}",
        "As a(n) {art}, {he} found a style that was new",
        "The name of {again} stands high in {nationality} culture",
        "Other {art:plural} have tried to imitate {again:object}",
        "Most people meet {again:object} first through {known_for}",
        "{his} name is known far beyond one country",
        "People of every age still enjoy the work of {surname}",
        "Many books have been written about {again:object}",
    ),
    shared={
        "art": (
            "{names} were {all} {art:plural}",
            "Among the great {art:plural} are {names}",
            "Like {peers}, {name} was a(n) {art}",
        ),
        "nationality": (
            "{names} were {all} {nationality}",
            "{nationality} culture gave the world {names}",
        ),
    },
    contrast={
        "art": ("{first} was a(n) {first_art}, while {second} was a(n) {second_art}",),
        "nationality": ("{first} was {first_nationality}, {second} was {second_nationality}",),
        "known_for": (
            "{first} is known for {first_known_for}, and {second} for {second_known_for}",
        ),
    },
    again=("{he}", "{he}", "{surname}"),
)

MONARCHS = PatternSet(
    opening=(
        "{name} was {title} of {realm} in the {century}",
        "In the {century}, {name} ruled {realm}",
        "{name} is remembered for {known_for}",
        "{realm} had many rulers, and one of the most famous was {name}",
        "The reign of {name} falls in the {century}",
        "Historians of {realm} have written much about {name}",
        "{name}, {title} of {realm}, is known for {known_for}",
        "The throne of {realm} was once held by {name}",
        "Legends and chronicles tell of {name}, a(n) {title} of the {century}",
        "What people recall about {name} is {known_for}",
    ),
    detail=(
        "{again} is best known for {known_for}",
        "{again} ruled in the {century}",
        "{his} realm was {realm}",
        "As {title}, {he} held great power",
        "The people of {realm} obeyed {again:object}",
        "{his} reign belongs to the {century}",
        "{his} fame rests on {known_for}",
        "{realm} changed under {his} rule",
        "The title {he} bore was that of {title}",
        "Chronicles of the {century} speak of {again:object} often",
        "Much of what is written about {again:object} concerns {known_for}",
        "A history of {realm} cannot leave {again:object} out",
        "Many books and films tell of {again:object}",
        "Not everyone was happy under {his} rule",
    ),
    shared={
        "realm": (
            "{names} {all} ruled {realm}",
            "{names} governed {realm} at different times",
            "Like {peers}, {name} sat on the throne of {realm}",
        ),
        "century": (
            "{names} {all} belong to the {century}",
            "The {century} knew {names}",
            "{name} lived in the same century as {peers}",
        ),
        "title": ("{names} {all} bore the title of {title}",),
    },
    contrast={
        "realm": ("{first} ruled {first_realm}, while {second} ruled {second_realm}",),
        "century": ("{first} reigned in the {first_century}, {second} in the {second_century}",),
        "known_for": (
            "{first} is remembered for {first_known_for}, and {second} for {second_known_for}",
        ),
    },
    again=("{he}", "{he}", "{name}"),
)
