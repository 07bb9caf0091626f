"""How many rows the database looks at for the very SQL that Concord sends: a bound that does not depend on the machine."""

import json
import re

# Most rows that one request may look at, whatever the size of the tables: what it answers with, the caller's seats and what
# the joins name. Far below what a scan of any large table would look at.
MOST = {"Q1": 100, "Q2": 20, "Q3": 900, "Q4": 80}


def rows(place, cluster, op):
    """Rows that the scans of one request give or throw away, by table."""
    size = place.size
    values = {"a": 5, "k": 1, "i": 9, "A": size.alliances, "O": size.organizations, "M": size.members, "T": size.tasks,
              "P": size.problems, "E": size.events}
    script = (place.captured / f"{op}.sql").read_text()
    seen = {}
    for statement in script.split("\n"):
        if not statement.endswith(";"):
            continue
        text = re.sub(r"(?<!:):([A-Za-z])\b", lambda found: str(values[found[1]]), statement)
        # Small tables are read whole; as in large ones, an index has to lead to what is wanted.
        answer = cluster.sql("SET enable_seqscan = off; SET enable_hashjoin = off",
                             "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + text)
        _count(json.loads(answer)[0]["Plan"], seen)
    return seen


def _count(node, seen):
    if "Relation Name" in node:
        looked = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        name = node["Relation Name"]
        seen[name] = seen.get(name, 0) + round(looked * node["Actual Loops"])
    for child in node.get("Plans", []):
        _count(child, seen)


def bounded(place, cluster):
    """Prints what each read looks at; tells whether all stay below their bounds."""
    right = True
    for op, most in MOST.items():
        seen = rows(place, cluster, op)
        total = sum(seen.values())
        right = right and total <= most
        print(f"{op}  {total} rows looked at, at most {most}: {seen}", flush=True)
    return right
