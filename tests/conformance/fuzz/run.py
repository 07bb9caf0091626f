"""Runs schemathesis over the whole schema with a fixed seed, anonymously, as every role of the demo and with its dashboard
key. No finding is allowed, and enough of the operations must have gone through to have tried what lies behind the door.

usage: python run.py DEMO.JSON CASES [WHO...] (so many cases per root field; the anonymous and everybody have more)
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SEED = 20261126
QUERIES_WITH_DATA, MUTATIONS_DONE = 0.60, 0.20
LEAST_CASES = 1_000
HERE = pathlib.Path(__file__).parent
# How many times the cases, each share with a seed of its own: a thousand anonymously, and most where most is done.
SHARES = {"anonymous": [5], "everybody": [6, 6]}
# Making up cases takes longer than answering them, so two make them up side by side.
AT_ONCE = 2
# Those who change most come last: the others find the town as it was told.
ORDER = ["anonymous", "observer", "key", "verifier", "grid", "officer", "approver", "staff", "manager", "neighbour", "county"]
CHECKS = "response_schema_conformance,content_type_conformance,refusals_are_coded,invalid_operations_are_refused"


def run(demo_path, demo, who, share, cases):
    begun, seed = time.monotonic(), str(SEED + share)
    counts = HERE.parent / "target" / f"counts-{who}-{share}.json"
    counts.unlink(missing_ok=True)
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "CONFORMANCE_DEMO": str(demo_path),
        "CONFORMANCE_WHO": who,
        "CONFORMANCE_SEED": seed,
        "CONFORMANCE_COUNTS": str(counts),
    }
    command = [
        *(str(pathlib.Path(sys.executable).parent / "schemathesis"), "--no-color", "run", demo["url"]),
        *("--seed", seed, "--max-examples", str(cases), "--phases", "fuzzing", "--checks", CHECKS, "--no-shrink"),
        *("--generation-database", "none", "--generation-graphql-allow-null", "false", "--continue-on-failure"),
        *("--suppress-health-check", "all", "--workers", "1", "--request-timeout", "30"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, cwd=HERE.parent / "target")
    if done.returncode != 0:
        print(done.stdout[-12_000:], done.stderr[-4_000:], flush=True)
    return done.returncode == 0, json.loads(counts.read_text()) if counts.exists() else {}, time.monotonic() - begun


def main():
    demo_path = pathlib.Path(sys.argv[1]).resolve()
    cases = int(sys.argv[2])
    demo = json.loads(demo_path.read_text())
    others = sorted(set(demo["accounts"]) - set(ORDER))
    good, totals = True, {}
    shares = [(who, share, cases * times) for who in sys.argv[3:] or [*ORDER, *others, "everybody"]
              for share, times in enumerate(SHARES.get(who, [1]))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = pool.map(lambda share: run(demo_path, demo, *share), shares)
        for (who, *_), (clean, counts, seconds) in zip(shares, runs):
            good &= clean and bool(counts)
            line = [f"{who}: {'no findings' if clean else 'FINDINGS'}"]
            for kind, wanted in (("query", "with data"), ("mutation", "done")):
                valid, well = counts.get(kind, {}).get("all", 0), counts.get(kind, {}).get("good", 0)
                invalid = counts.get(f"invalid {kind}", {}).get("all", 0)
                line.append(f"{well} of {valid} {kind} cases {wanted}, {invalid} invalid")
                for name, number in (("all", valid + invalid), *(((kind, valid), (f"{kind} good", well)) if who != "anonymous" else ())):
                    totals[name] = totals.get(name, 0) + number
            print("; ".join(line) + f"; {seconds:.0f} s", flush=True)
    rates = {kind: totals.get(f"{kind} good", 0) / max(totals.get(kind, 0), 1) for kind in ("query", "mutation")}
    print(f"{totals['all']} cases; signed in, {rates['query']:.0%} of queries gave data, {rates['mutation']:.0%} of mutations were done")
    good &= rates["query"] >= QUERIES_WITH_DATA and rates["mutation"] >= MUTATIONS_DONE and totals["all"] >= LEAST_CASES
    sys.exit(0 if good else 1)


main()
