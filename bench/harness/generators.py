"""What puts load on: wrk for servers, pgbench for the database alone. Each gives requests, seconds and latencies in ms."""

import glob
import json
import os
import pathlib
import re
import subprocess
import tempfile

from . import requests
from .place import BENCH, HOST

# Shorter answers than these are wrong ones.
LEAST = {"Q1": 400, "Q2": 150, "Q3": 2000, "Q4": 250, "M1": 80}


# More writes a second than any server makes: each of a run's writes is to find an object that no earlier one has changed.
WRITES = 4_000


def wrk(place, server, op, seconds, connections, check=False, since=0):
    """Closed loop: each connection sends its next request when the last was answered. Writes begin where those of the `since`
    seconds before ended, and no more of them are read than can be sent: reading them is the generator's own work."""
    threads = min(2, connections)
    environment = {**os.environ, "THREADS": str(threads), "BODIES": str(requests.path(place, server.dialect or "concord", op)),
                   "LEAST": str(LEAST[op])}
    if op.startswith("M"):
        environment.update(SKIP=str(WRITES * since), MOST=str(WRITES * seconds))
    if check:
        environment["CHECK"] = "1"
    if server.dialect is None:
        environment["URL_PATH"] = f"/{op}"
    line = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s",
            str(BENCH / "ops/wrk.lua"), f"http://{HOST}:{server.port}"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"RESULT (.*)", done.stdout)
    if not found:
        raise SystemExit(f"wrk gave no result\n{done.stdout}{done.stderr}")
    result = json.loads(found[1])
    return {"requests": result["requests"], "seconds": result["us"] / 1e6, "bytes": result["bytes"],
            "p50": result["p50"] / 1000, "p95": result["p95"] / 1000, "p99": result["p99"] / 1000,
            "errors": result["errors"] + result["statuses"], "looked": result["looked"], "bad": result["bad"],
            "says": done.stderr.strip()}


def pgbench(place, script, seconds, clients):
    """The same work without a server: prepared statements from a script, chance drawn by pgbench itself."""
    with tempfile.TemporaryDirectory(dir=place.home) as folder:
        variables = [word for name, value in place.size.variables().items() for word in ("-D", f"{name}={value}")]
        line = ["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), *variables, "-f", str(script),
                "-l", "--log-prefix", f"{folder}/log", "-h", HOST, "-p", str(place.size.pg_port), "-U", "postgres", "concord_bench"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        found = re.search(r"actually processed: (\d+)", done.stdout)
        if done.returncode or not found:
            raise SystemExit(f"pgbench failed\n{done.stdout}{done.stderr}")
        times = sorted(int(row.split()[2]) for name in glob.glob(f"{folder}/log*")
                       for row in pathlib.Path(name).read_text().splitlines())
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] / 1000 if times else 0.0
    return {"requests": int(found[1]), "seconds": seconds, "bytes": 0, "p50": at(0.5), "p95": at(0.95), "p99": at(0.99),
            "errors": 0, "looked": 0, "bad": 0, "says": ""}
