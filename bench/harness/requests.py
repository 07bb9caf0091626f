"""The random requests: which caller asks for what. Drawn once for a data set, with a fixed seed, and the same objects for
every server; only the dialect differs. A line of a file is a caller's token, a tab, and a JSON body."""

import base64
import json
import random
import subprocess

from .place import BENCH

OPS = ["Q1", "Q2", "Q3", "Q4", "M1"]
READS = 8192
PEOPLE = 6
# The kinds of identifiers, as in `data.sql`.
KINDS = {"organization": 2, "alliance": 3, "account": 4, "problem": 10}


def uuid(noun, n):
    return f"01900000-{KINDS[noun]:04x}-7000-8000-{n:012x}"


def global_id(noun, n):
    raw = noun.encode() + b":" + bytes.fromhex(uuid(noun, n).replace("-", ""))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def draw(size, op):
    """Who asks, and for which object: (person, noun, number)."""
    chance = random.Random(op)
    if op == "M1":
        # Each can be accepted once, by the staff of the organisation it is assigned to; see `data.sql`.
        pool = [(a * PEOPLE + 3 + i // 8 % 2, "problem", a * size.problems + i)
                for a in range(size.alliances) for i in range(5, size.problems + 1, 8)]
        chance.shuffle(pool)
        return pool
    drawn = []
    for _ in range(READS):
        alliance = chance.randint(1, size.alliances)
        person = (alliance - 1) * PEOPLE + chance.randint(1, PEOPLE)
        if op == "Q1":
            drawn.append((person, "organization", (alliance - 1) * size.organizations + 1))
        elif op == "Q4":
            drawn.append((person, "problem", (alliance - 1) * size.problems + chance.randint(1, size.problems)))
        else:
            drawn.append((person, "alliance", alliance))
    return drawn


def documents(dialect):
    return {op: " ".join((BENCH / f"ops/{dialect}/{op}.graphql").read_text().split()) for op in OPS}


def variables(dialect, person, noun, n):
    if dialect == "concord":
        return {noun: global_id(noun, n)}
    return {noun: uuid(noun, n), "account": uuid("account", person)}


def sign(place):
    """Tokens for all people of the data set, good for a day."""
    people = place.size.alliances * PEOPLE
    node = place.node / "node_modules/.bin/node"
    done = subprocess.run([node if node.exists() else "node", BENCH / "load/tokens.mjs", place.data / "keys", str(people)],
                          check=True, capture_output=True, text=True)
    return done.stdout.split("\n")


def path(place, dialect, op):
    return place.bodies / f"{dialect}-{op}.txt"


def write(place):
    tokens = sign(place)
    place.bodies.mkdir(exist_ok=True)
    for dialect in ("concord", "postgraphile"):
        texts = documents(dialect)
        for op in OPS:
            with path(place, dialect, op).open("w") as file:
                for person, noun, n in draw(place.size, op):
                    body = {"query": texts[op], "variables": variables(dialect, person, noun, n)}
                    file.write(tokens[person - 1] + "\t" + json.dumps(body, ensure_ascii=False) + "\n")
