"""What has to be there before anything is measured: tools, packages, the release build, the loaded data set."""

import contextlib
import os
import shutil
import subprocess
import sys

from . import requests
from .place import BENCH, ROOT
from .servers import SERVERS


def tools(place, names):
    """wrk from the distribution; Node and the peer from npm, below target/."""
    if shutil.which("wrk") is None:
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        subprocess.run([*prefix, "apt-get", "install", "-y", "-qq", "wrk"], check=True, stdout=subprocess.DEVNULL)
    if not any(name in SERVERS and SERVERS[name].dialect == "postgraphile" for name in names):
        return
    place.node.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "serve.mjs"):
        shutil.copy(BENCH / "peer" / name, place.node / name)
    if not (place.node / "node_modules/postgraphile").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=place.node, check=True)


def build():
    packages = ["-p", "concord"] if "CONCORD_BIN" not in os.environ else []
    subprocess.run(["cargo", "build", "--release", "--locked", *packages, "-p", "bench-tools"], cwd=ROOT, check=True)


def load(place, cluster, names):
    """Loads what the chosen servers need and what is not there, and signs fresh tokens."""
    small = ["--small"] if place.size.name == "small" else []
    script = [sys.executable, str(BENCH / "load/load"), *small]
    cluster.start()
    known = cluster.sql("SELECT count(*) FROM pg_database WHERE datname = 'concord_bench'", database="postgres").strip() == "1"
    if not known or cluster.sql("SELECT count(*) FROM pg_class WHERE relname = 'event_seal'").strip() != "1" \
            or cluster.sql("SELECT count(*) FROM hand_cursor").strip() == "0":
        subprocess.run([*script, "--only", "postgres"], check=True)
    if any(name in SERVERS and SERVERS[name].database == "sqlite" for name in names) and not place.sqlite.exists():
        subprocess.run([*script, "--only", "sqlite"], check=True)
    if any(name in SERVERS and SERVERS[name].dialect == "postgraphile" for name in names):
        cluster.psql("-f", BENCH / "peer/functions.sql")
    requests.write(place)
    if "pgbench" in names:
        subprocess.run([sys.executable, str(BENCH / "capture"), *small], check=True)


@contextlib.contextmanager
def indexes(cluster, server):
    """The peer's own indexes stand while it runs."""
    if server.dialect != "postgraphile":
        yield
        return
    try:
        cluster.psql("-f", BENCH / "peer/indexes.sql")
        yield
    finally:
        cluster.sql("DROP INDEX IF EXISTS peer_task_dashboard, peer_problem_dashboard, peer_membership")


def script(place, name, op):
    """The pgbench script of an operation: `pgbench` sends what Concord sends, `pgbench-best` the best SQL known."""
    path = (place.captured if name == "pgbench" else BENCH / "pgbench") / f"{op}.sql"
    return path if path.exists() else None
