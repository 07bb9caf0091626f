"""What schemathesis asks of this module: scalars, operations fed with the demo's data, the check of answers, and the count.

CONFORMANCE_DEMO names the demo's description, CONFORMANCE_WHO the principal, CONFORMANCE_COUNTS the file for the counts.
The principal `everybody` is, case by case, one who can do what is asked.
"""

import atexit
import collections
import datetime as dt
import json
import os
import random
import re

import graphql
import schemathesis
from hypothesis import strategies as st

from feed import Feeder
from town import Town

WHO = os.environ["CONFORMANCE_WHO"]
# Of everybody, who is asked for what nobody is known to be able to do; the first is asked by default.
EVERYBODY = ["committee", "staff", "manager", "verifier", "approver", "officer", "grid", "admin"]
EVERYBODY += ["beijing", "beijing_leader", "bureau"]
ADMINS = {"foundAlliance", "recordOrganization", "recordRegion", "importCalendarDays", "applyForMembership"}
with open(os.environ["CONFORMANCE_DEMO"], encoding="utf8") as file:
    DEMO = json.load(file)
TOWNS = {who: Town(DEMO, who) for who in (EVERYBODY if WHO == "everybody" else [WHO])}
for one in TOWNS.values():
    one.gather()
ONE_OF = next(iter(TOWNS.values())).one_of
RANDOM = random.Random(f"{os.environ['CONFORMANCE_SEED']} {WHO}")
COUNTS = collections.defaultdict(lambda: collections.Counter())

EPOCH = dt.date(1970, 1, 1)
days = st.dates(EPOCH, dt.date(9999, 12, 31))
text = graphql.StringValueNode
schemathesis.graphql.scalar("Date", days.map(lambda day: text(value=str(day))))
schemathesis.graphql.scalar("YearMonth", days.map(lambda day: text(value=str(day)[:7])))
schemathesis.graphql.scalar("DateTime", days.map(lambda day: text(value=f"{day}T08:30:00Z")))

# How many of the valid operations stay as they were generated.
AS_GENERATED = 0.1
# What the door may answer to an operation that fits the schema: it is too large, in one of the ways that have a code.
LIMITS = {
    "DOCUMENT_TOO_LARGE",
    "TOO_MANY_TOKENS",
    "NESTING_TOO_DEEP",
    "TOO_MANY_SELECTIONS",
    "TOO_DEEP",
    "TOO_MANY_ALIASES",
    "LIST_TOO_LONG",
    "TOO_MANY_NODES",
}
feeders = {}
# Which cases were fed, and as whom.
fed = {}


def is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def principal(label):
    """The principal of a case: with everybody to choose from, one to whom the mutation is open."""
    name = label.removeprefix("Mutation.")
    able = [town for town in TOWNS.values() if town.moves.get(name)]
    return RANDOM.choice(able) if able else TOWNS.get("admin" if name in ADMINS else "committee") or TOWNS[WHO]


@schemathesis.hook
def before_call(ctx, case, kwargs):
    town = principal(case.operation.label)
    authorize(case, town)
    if not is_positive(case):
        return
    own = special(case, town)
    if own is None and RANDOM.random() < AS_GENERATED and not asks_one_of(case):
        return
    # Only committees lay the ground for others.
    if own is None and town.role == "COMMITTEE":
        made = feeder(case, town).prepare(case.operation.label.removeprefix("Mutation."))
        if made:
            learn(made)
            town = principal(case.operation.label)
            authorize(case, town)
    case.body = own or feeder(case, town).operation(case.body)
    fed[case.id] = town


def authorize(case, town):
    if town.token:
        case.headers["Authorization"] = f"Bearer {town.token}"


def feeder(case, town):
    if town.who not in feeders:
        feeders[town.who] = Feeder(town, case.operation.schema.client_schema, RANDOM)
    return feeders[town.who]


def learn(made):
    """Tells everybody of what was made or moved."""
    for one in made:
        for town in TOWNS.values():
            town.add(one)
            town.look_again(one)


def asks_one_of(case):
    """Whether the generator, which does not know `@oneOf`, may have made an invalid operation."""
    arguments = case.operation.definition.raw.args.values()
    kinds, met = [graphql.get_named_type(argument.type) for argument in arguments], set()
    while kinds:
        kind = kinds.pop()
        if kind.name in ONE_OF:
            return True
        if kind.name not in met:
            met.add(kind.name)
            kinds += [graphql.get_named_type(member.type) for member in getattr(kind, "fields", {}).values()]
    return False


def special(case, town):
    """Operations on sessions: each with tokens of its own, so that the one of the run lives on."""
    if not town.password:
        return None
    match case.operation.label:
        case "Mutation.signIn":
            who = DEMO["accounts"][town.who]
            given = f'username: "{who["username"]}", password: "{who["password"]}"'
            return f"mutation {{ signIn(input: {{ {given} }}) {{ tokens {{ accessToken }} refusals: userErrors {{ code }} }} }}"
        case "Mutation.refreshSession":
            token = town.sign_in()["refreshToken"]
            given = f'refreshToken: "{token}"'
            return f"mutation {{ refreshSession(input: {{ {given} }}) {{ tokens {{ expiresAt: __typename }} refusals: userErrors {{ code }} }} }}"
        case "Mutation.signOut":
            case.headers["Authorization"] = f"Bearer {town.sign_in()['accessToken']}"
            return "mutation { signOut(input: { everywhere: false }) { refusals: userErrors { code } } }"
    return None


@schemathesis.hook
def after_call(ctx, case, response):
    answer = response.json()
    errors, data = answer.get("errors") or [], answer.get("data") or {}
    kind = "query" if case.operation.label.startswith("Query.") else "mutation"
    if not is_positive(case):
        COUNTS["invalid " + kind]["all"] += 1
        return
    counts = COUNTS[kind]
    counts["all"] += 1
    value = next(iter(data.values()), None)
    codes = [error["extensions"]["code"] for error in errors]
    if kind == "mutation" and isinstance(value, dict):
        codes += [one.get("code", "?") for one in value.get("refusals") or value.get("userErrors") or []]
        fed_well = not codes and case.id in fed
    else:
        fed_well = value is not None and not codes
    counts["good"] += fed_well
    COUNTS["by field"][f"{case.operation.label} {'good' if fed_well else ' '.join(sorted(set(codes))) or 'nothing'}"] += 1
    if kind == "mutation" and fed_well:
        made = value.get("made")
        learn(one["id"] for one in (made if isinstance(made, list) else [made] if made else []))


@schemathesis.check
def refusals_are_coded(ctx, response, case):
    """Valid operations are answered, or refused by a code of the schema; whatever is refused has a code and a request id."""
    assert response.status_code in (200, 400, 401), f"status {response.status_code}"
    answer = response.json()
    errors = answer.get("errors") or []
    for error in errors:
        extensions = error.get("extensions") or {}
        assert extensions.get("requestId"), f"no request id: {error}"
        assert extensions.get("code") not in (None, "INTERNAL", "DEADLINE_EXCEEDED"), f"not the caller's doing: {error}"
        if is_positive(case):
            codes = case.operation.schema.client_schema.type_map["ErrorCode"].values
            assert extensions["code"] in codes or extensions["code"] in LIMITS, f"a valid operation is called invalid: {error}"
    assert errors or answer.get("data") is not None, "neither data nor errors"
    assert len(errors) <= 20, f"{len(errors)} errors"


# A literal beyond 32 bits fits no `Int`, but async-graphql 7.2.1 finds that out when it runs the field, not before.
LARGE_INTEGER = re.compile(r"(?<![\w.\"])-?\d{10,}(?![\w.\"])")


@schemathesis.check
def invalid_operations_are_refused(ctx, response, case):
    """What breaks the schema in one place is refused as a whole."""
    if not is_positive(case):
        assert response.json().get("errors") or LARGE_INTEGER.search(case.body), "an invalid operation was accepted"


def write_counts():
    with open(os.environ["CONFORMANCE_COUNTS"], "w", encoding="utf8") as out:
        json.dump(COUNTS, out)


atexit.register(write_counts)
