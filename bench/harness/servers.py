"""The servers that are compared: how each starts, and how it is known to answer."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from .place import HOST, binary, tool

POOL = 16


@dataclass(frozen=True)
class Server:
    name: str
    # Whose documents it takes; None: it takes any request.
    dialect: str | None
    port: int
    database: str
    workers: int = 1
    ops: tuple = ("Q1", "Q2", "Q3", "Q4", "M1")


SERVERS = {server.name: server for server in [
    Server("concord", "concord", 4101, "postgres"),
    Server("concord-sqlite", "concord", 4102, "sqlite"),
    Server("postgraphile", "postgraphile", 4103, "postgres"),
    Server("postgraphile2", "postgraphile", 4104, "postgres", workers=2),
    Server("static", None, 4105, "none"),
]}


def command(place, server):
    """What starts it, with which environment."""
    if server.dialect == "concord":
        url = place.pg_url if server.database == "postgres" else place.sqlite_url
        settings = {
            "CONCORD__HTTP__LISTEN": f"{HOST}:{server.port}",
            "CONCORD__DATABASE__MAX_CONNECTIONS": str(POOL),
            "CONCORD__LOG__FILTER": "warn",
            # A caller's cost is still counted; here a few callers do the work of thousands.
            "CONCORD__HTTP__COST__USER": "{capacity=1000000000, restore_per_s=1000000000}",
            "CONCORD__HTTP__STREAMS": "20000",
            # The tokens of the bench last as long as its runs do; see `load/tokens.mjs`.
            "CONCORD__IDENTITY__ACCESS_TOKEN_SECONDS": "82800",
        }
        return [binary(), "--data", str(place.data), "--database-url", url, "serve"], settings, None
    if server.dialect == "postgraphile":
        settings = {"DATABASE_URL": place.pg_url, "PORT": str(server.port), "WORKERS": str(server.workers),
                    "POOL": str(POOL // server.workers), "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
        # A script finds its packages beside itself.
        return [str(place.node / "node_modules/.bin/node"), str(place.node / "serve.mjs")], settings, place.node
    return [tool("bench-static")], {"PORT": str(server.port)}, None


class Running:
    """A started server; `milliseconds` is from its start to its first answer."""

    def __init__(self, place, server, more=None):
        self.server = server
        line, settings, folder = command(place, server)
        self.log = open(place.home / f"{server.name}.log", "ab")
        since = time.monotonic()
        self.process = subprocess.Popen(line, env={**os.environ, **settings, **(more or {})}, cwd=folder, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - since > 60:
                self.stop()
                raise SystemExit(f"{server.name} does not start; see {self.log.name}")
            time.sleep(0.002)
        self.milliseconds = (time.monotonic() - since) * 1000

    @property
    def pid(self):
        return self.process.pid

    def answers(self):
        try:
            return post(self.server.port, {"query": "{ __typename }"})[0] == 200
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


def post(port, body, token=None):
    """Status and bytes of one request."""
    headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json, application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{HOST}:{port}/graphql", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
