"""Where the bench keeps things, how large its data sets are, and which ports it takes."""

import os
import pathlib
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Size:
    """How many rows of what, each for one alliance."""

    name: str
    alliances: int
    organizations: int = 60
    members: int = 120
    tasks: int = 500
    problems: int = 500
    events: int = 2500
    pg_port: int = 5455
    shared_buffers: str = "2GB"

    def variables(self):
        """The variables of `data.sql`."""
        return {"A": self.alliances, "O": self.organizations, "M": self.members, "T": self.tasks, "P": self.problems,
                "E": self.events}


LARGE = Size("large", 2000)
SMALL = Size("small", 11, pg_port=5456, shared_buffers="128MB")


class Place:
    """The folder of one data set."""

    def __init__(self, size):
        self.size = size
        self.home = TARGET / ("bench" if size is LARGE else "bench-" + size.name)
        self.home.mkdir(parents=True, exist_ok=True)
        # Signing keys and the SQLite file; the servers on both databases share it.
        self.data = self.home / "data"
        self.sqlite = self.data / "concord.db"
        self.bodies = self.home / "bodies"
        self.captured = self.home / "captured"
        # Packages serve every data set.
        self.node = TARGET / "bench" / "node"

    @property
    def pg_url(self):
        return f"postgres://postgres@{HOST}:{self.size.pg_port}/concord_bench"

    @property
    def sqlite_url(self):
        return f"sqlite://{self.sqlite}?mode=rwc"


def tool(name):
    """A program of `bench/tools`, from whichever build there is."""
    builds = [TARGET / profile / name for profile in ("release", "debug")]
    return str(next((path for path in builds if path.exists()), builds[0]))


def binary():
    """The release build, or the one that CONCORD_BIN names."""
    return os.environ.get("CONCORD_BIN", str(TARGET / "release" / "concord"))
