"""A PostgreSQL cluster of the bench's own: its settings are known, and its processes do nobody else's work."""

import glob
import os
import shutil
import subprocess

from .place import HOST

for folder in sorted(glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")):
    os.environ["PATH"] += os.pathsep + folder

# What loading may do without: a crash in between means loading again.
HASTY = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off",
         "max_wal_size": "1GB"}
# As in service: every commit is synced. Pages come from memory or flash, so the cost of a random one is set low.
STEADY = {"max_wal_size": "1GB", "random_page_cost": "1.1"}


class Cluster:
    def __init__(self, place):
        self.place = place
        self.folder = place.home / "pg"
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = place.size.pg_port

    def _as_server(self, *command):
        # PostgreSQL refuses to run as root; its user may not be allowed to enter the folder this runs in.
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*prefix, *map(str, command)], check=True, cwd="/", stdout=subprocess.DEVNULL)

    def is_running(self):
        return subprocess.run(["pg_isready", "-q", "-h", HOST, "-p", str(self.port)], check=False).returncode == 0

    def start(self, settings=STEADY):
        if not self.data.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                shutil.chown(self.folder, "postgres")
            self._as_server("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        elif self.is_running():
            return
        options = {"port": self.port, "listen_addresses": HOST, "unix_socket_directories": "",
                   "shared_buffers": self.place.size.shared_buffers, "max_connections": 200, **settings}
        text = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._as_server("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "120", "-o", text, "start")

    def stop(self):
        if self.is_running():
            self._as_server("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", "300", "stop")

    def postmaster(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def psql(self, *arguments, database="concord_bench", text=None):
        """Runs psql and gives what it prints."""
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", HOST, "-p", str(self.port), "-U", "postgres",
                   "-d", database, *map(str, arguments)]
        return subprocess.run(command, check=True, input=text, capture_output=True, text=True).stdout

    def sql(self, *statements, database="concord_bench"):
        return self.psql(*(word for statement in statements for word in ("-c", statement)), database=database)
