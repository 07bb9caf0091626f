"""The demo's town as one principal sees it: real ids by noun, versions, and which mutations are open on which objects."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request

# Root fields that are read, by noun; every object among the answers is remembered by its id.
MOVES = "id version availableTransitions { mutation available }"
CALL = f"{MOVES} isOpen memberAlliance {{ id }} organization {{ id }}"
WHISTLE = f"{MOVES} alliance {{ id }} responses {{ {CALL} }}"
READS = [
    "alliances(first: 50) { nodes { id version viewerRoles } }",
    "me { seats { id alliance { id } organization { id } region { id } } }",
    f"problems(first: 100) {{ nodes {{ {MOVES} isOpen number evidence {{ id }} extensions {{ id version decidedAt }} }} }}",
    f"priorityTasks(first: 100) {{ nodes {{ {MOVES} isOpen milestones {{ id }} }} }}",
    f"taskLists(first: 50) {{ nodes {{ {MOVES} }} }}",
    f"memberships(first: 100) {{ nodes {{ {MOVES} state alliance {{ id }} organization {{ id kind }} }} }}",
    f"rotationPlans(first: 20) {{ nodes {{ {MOVES} slots {{ id version }} }} }}",
    f"rotationSlots(first: 100) {{ nodes {{ {MOVES} number handover {{ id version }} checkIns {{ id }} dockings {{ id }} }} }}",
    f"rotationSwaps(first: 50) {{ nodes {{ {MOVES} }} }}",
    f"whistles(first: 100) {{ nodes {{ {WHISTLE} }} }}",
    "serviceTeams(first: 50) { nodes { id version } }",
    "organizations(first: 100) { nodes { id version } }",
    "regions(first: 100) { nodes { id code } }",
    "followUps(first: 50) { nodes { id version openState: state } }",
    "supervisionNotices(first: 100) { nodes { id version answeredAt } }",
    "handoverItems(first: 50) { nodes { id version } }",
    "savedFilters { id }",
    "calendarFeeds { id }",
    "inbox(first: 50) { nodes { id } }",
]
OF_ALLIANCE = [
    "accounts(allianceId: $id, first: 50) { nodes { id version seats { id version } externalIdentities { id } } }",
    "apiKeys(allianceId: $id, first: 50) { nodes { id } }",
]
MOVING = ["Problem", "PriorityTask", "TaskList", "Membership", "RotationPlan", "RotationSlot", "RotationSwap"]
STANDING = ["Alliance", "ServiceTeam", "Account"]
AGAIN = "query ($id: ID!) { node(id: $id) { id %s } }" % " ".join(
    [f"... on {kind} {{ {MOVES} }}" for kind in MOVING]
    + [f"... on {kind} {{ version }}" for kind in STANDING]
    # A whistle moves with its calls, and they with it.
    + [f"... on Whistle {{ {WHISTLE} }}", f"... on WhistleResponse {{ {CALL} whistle {{ {WHISTLE} }} }}"]
)
# Mutations of many at once, by what they do to each.
MANY = {
    "assignProblem": "assignProblems",
    "reportInToWhistle": "reportInToWhistles",
    "evaluateWhistleCall": "evaluateWhistleCalls",
}
# A picture of one pixel: evidence that passes for an image.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def noun(global_id):
    """The noun that a global id names, or nothing."""
    try:
        raw = base64.urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4))
        return raw[:-17].decode()
    except ValueError:
        return None


class Town:
    # Units for which one of the principals at hand acts: what they are called to, somebody answers.
    acting = set()

    def __init__(self, demo, who):
        self.url = demo["url"]
        self.demo = demo
        self.who = who
        self.password = demo["accounts"].get(who, {}).get("password")
        self.token = demo["dashboardKey"] if who == "key" else None
        self.ids, self.versions, self.moves = {}, {}, {}
        self.numbers, self.codes, self.home, self.kept, self.closed = [], [], {}, set(), set()
        # By alliance, who can be called to its whistles; by whistle, its alliance and who is called to it.
        self.members, self.whistles = {}, {}
        if self.password:
            self.token = self.sign_in()["accessToken"]

    def post(self, path, body, headers):
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(urllib.parse.urljoin(self.url, path), body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as refusal:
            return json.loads(refusal.read() or b"{}")

    def ask(self, query, **variables):
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.post("/graphql", body, {"Content-Type": "application/json"}).get("data") or {}

    def sign_in(self, who=None):
        query = "mutation ($input: SignInInput!) { signIn(input: $input) { tokens { accessToken refreshToken } } }"
        account = self.demo["accounts"][who or self.who]
        answer = self.ask(query, input={"username": account["username"], "password": account["password"]})
        return answer["signIn"]["tokens"]

    def gather(self):
        types = self.ask("{ __schema { types { name isOneOf } } }")["__schema"]["types"]
        self.one_of = {kind["name"] for kind in types if kind["isOneOf"]}
        for read in READS:
            self.remember(self.ask(f"{{ {read} }}"))
        for alliance in self.of("alliance")[:3]:
            for read in OF_ALLIANCE:
                self.remember(self.ask(f"query ($id: ID!) {{ {read} }}", id=alliance))
        for global_id in self.demo["ids"].values():
            # What is not to be seen is asked for all the same.
            if not self.of(noun(global_id)):
                self.add(global_id)
        self.home["rotation_slot"] = [self.demo["ids"]["currentSlot"]]
        self.kept.update(account["id"] for account in self.demo["accounts"].values())
        self.kept.update(self.of("api_key"))
        Town.acting.update(self.home.get("organization", []))

    def add(self, global_id):
        known = self.ids.setdefault(noun(global_id), [])
        if global_id not in known:
            known.append(global_id)

    def of(self, name):
        return self.ids.get(name, [])

    def remember(self, value):
        """Walks an answer and keeps every object that has an id."""
        if isinstance(value, list):
            for item in value:
                self.remember(item)
        elif isinstance(value, dict):
            own = value.get("id")
            if isinstance(own, str) and noun(own):
                self.add(own)
                if "version" in value:
                    self.versions[own] = value["version"]
                if "availableTransitions" in value:
                    self.note_moves(own, value["availableTransitions"])
                if value.get("number") and noun(own) == "problem":
                    self.numbers.append(value["number"])
                done = value.get("answeredAt") or value.get("decidedAt") or value.get("openState") not in (None, "DUE")
                if value.get("isOpen") is False or done:
                    self.closed.add(own)
                if noun(own) == "membership" and value.get("state") == "ACTIVE" and value["organization"]["kind"] != "TOWN_COMMITTEE":
                    self.members.setdefault(value["alliance"]["id"], set()).add(value["organization"]["id"])
                if "responses" in value:
                    called = {one["organization"]["id"] for one in value["responses"] if one["organization"]}
                    whistle = ((value["alliance"] or {}).get("id"), called)
                    for one in [own, *(response["id"] for response in value["responses"])]:
                        self.whistles[one] = whistle
                if value.get("code"):
                    self.codes.append(value["code"])
            if "viewerRoles" in value and value["viewerRoles"]:
                self.home.setdefault("alliance", []).append(own)
            for name, seats in value.items():
                if name == "seats" and not own:
                    self.note_seats(seats)
                self.remember(seats)

    def note_seats(self, seats):
        for seat in seats:
            for name in ("alliance", "organization", "region"):
                if seat.get(name):
                    self.home.setdefault(name, []).append(seat[name]["id"])
            self.kept.add(seat["id"])

    def note_moves(self, own, transitions):
        for movers in self.moves.values():
            movers.discard(own)
        for transition in transitions:
            name = transition["mutation"]
            for name in (name, MANY.get(name, name)):
                movers = self.moves.setdefault(name, set())
                if transition["available"]:
                    movers.add(own)

    def callable(self, subject):
        """Units that can still be called to a whistle, or proposed in the place of one of its calls; those that answer come first."""
        alliance, called = self.whistles.get(subject, (None, set()))
        free = sorted(self.members.get(alliance, set()) - called)
        return [unit for unit in free if unit in Town.acting] or free

    def look_again(self, global_id):
        self.remember(self.ask(AGAIN, id=global_id))

    def version(self, global_id):
        self.look_again(global_id)
        return self.versions.get(global_id)

    def upload(self):
        headers = {"Content-Type": "application/octet-stream", "X-Concord-Upload": "1"}
        return self.post("/files?name=proof.png", PIXEL, headers).get("id")
