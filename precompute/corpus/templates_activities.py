"""Sentence patterns for occupations and sports."""

from precompute.corpus.patterns import PatternSet

OCCUPATIONS = PatternSet(
    opening=(
        "{one} works in {industry}",
        "The job of {one} is to {duty}",
        "{name:plural} {duty}",
        "{one} can often be found {place:at}",
        "Every day {one} {duty:does}",
        "She became {one} because she wanted to {duty}",
        "My neighbour is {one} and works {place:at}",
        "He trained as {one} and found work in {industry}",
        "Someone who wants to {duty} might become {one}",
        "If you ask {one} what the work is about, the answer is {duty:doing}",
        "In {industry}, the {name} has an important part to play",
        "They hired {one} to {duty}",
        "A day in the life of {one} begins {place:at}",
        "Those who work in {industry} know what {one} does",
    ),
    detail=(
        "The work is done {place:at}",
        "The main task is {duty:doing}",
        "{name:plural} are employed in {industry}",
        "The {name} is paid to {duty}",
        "Most {name:plural} spend their days {place:at}",
        "It is a job in {industry}",
        "{duty:doing} takes skill and patience",
        "One meets {name:plural} {place:at}",
        "{industry} could not do without such people",
        "It takes training to {duty}",
        "The place of work is usually the same: one works {place:at}",
        "People with this job are needed in {industry}",
        "At the end of the day the {name} is tired from {duty:doing}",
        "Some people do this job all their lives",
        "It is not an easy job, but many enjoy it",
    ),
    shared={
        "industry": (
            "{names} {all} work in {industry}",
            "{industry} gives work to {names}",
            "Like {peers}, {one} works in {industry}",
        ),
        "place": (
            "{names} {all} work {place:at}",
            "Spend a day {place:at} and you may meet {names}",
        ),
        "duty": ("{names} are {all} paid to {duty}",),
    },
    contrast={
        "duty": (
            "{first} is paid to {first_duty}, while {second} is paid to {second_duty}",
            "{first} {first_duty:does}; {second} {second_duty:does}",
        ),
        "place": ("{first} works {first_place:at}, but {second} works {second_place:at}",),
        "industry": ("{first} is employed in {first_industry}, {second} in {second_industry}",),
    },
    again=("the {name}",),
    noun="count",
)

SPORTS = PatternSet(
    opening=(
        "{name} is a(n) {kind}",
        "{name} is all about {aim}",
        "The {athlete} needs {gear} for {name}",
        "{name} takes place {venue}",
        "In {name}, the {athlete} wins by {aim}",
        "Fans of {name} gather to watch athletes compete {venue}",
        "For {name} one needs {gear}",
        "The point of {name} is {aim}",
        "She took up {name} at school and bought {gear}",
        "His favourite {kind} is {name}",
        "Someone who is good at {aim} may enjoy {name}",
    ),
    detail=(
        "It is played or held {venue}",
        "The skill lies in {aim}",
        "It is a(n) {kind}",
        "A beginner should buy {gear}",
        "Each {athlete} hopes for a medal",
        "Points or victory come from {aim}",
        "The equipment includes {gear}",
        "Spectators watch what happens {venue}",
        "A good {athlete} trains almost every day",
        "Newspapers describe it as a(n) {kind}",
        "Children can learn it in a club",
        "Some matches or contests are shown on television",
    ),
    shared={
        "kind": (
            "{names} are {all} examples of a(n) {kind}",
            "Like {peers}, {name} is a(n) {kind}",
            "A(n) {kind} might be {peers} or {name}",
        ),
        "venue": ("{names} {all} take place {venue}",),
        "gear": ("One needs {gear} for {names}",),
    },
    contrast={
        "venue": ("{first} takes place {first_venue}, while {second} takes place {second_venue}",),
        "aim": ("{first} is about {first_aim}, but {second} is about {second_aim}",),
        "gear": ("{first} calls for {first_gear}, and {second} for {second_gear}",),
    },
    again=("it", "the sport", "{name}"),
)
