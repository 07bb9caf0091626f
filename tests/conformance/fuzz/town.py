"""The demo's town as one principal sees it: real ids by noun, versions, where things lie, and which mutations are open on which of them."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request


def snake(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


# Root fields that are read, by noun; every object among the answers is remembered by its id.
MOVES = "id version availableTransitions { mutation available }"
MEMBER = f"{MOVES} state alliance {{ id }} organization {{ id kind }}"
CALL = f"{MOVES} isOpen memberAlliance {{ id }} organization {{ id }}"
WHISTLE = f"{MOVES} alliance {{ id }} responses {{ {CALL} }}"
UNIT = f"{MOVES} mobilization {{ id }} organization {{ id }}"
ORDER = f"{MOVES} state alliance {{ id }} units(first: 20) {{ nodes {{ {UNIT} }} }}"
ORDER += " shifts(first: 20) { nodes { id mobilization { id } region { id } } }"
# What stands from one day up to another.
DATED = "id version since until"
CELL = f"{DATED} level network {{ id }} parent {{ id }}"
OFFICER = f"{DATED} role isMain cell {{ id }}"
BRANCH = f"{DATED} kind alliance {{ id }} parent {{ id }} matters {{ problem {{ id }} task {{ id }} whistle {{ id }} }}"
READS = [
    "alliances(first: 50) { nodes { id version viewerRoles region { id } } }",
    "me { seats { id alliance { id } organization { id } region { id } } }",
    f"problems(first: 100) {{ nodes {{ {MOVES} isOpen number alliance {{ id }} evidence {{ id }} extensions {{ id version decidedAt }} }} }}",
    f"priorityTasks(first: 100) {{ nodes {{ {MOVES} isOpen alliance {{ id }} milestones {{ id }} }} }}",
    f"taskLists(first: 50) {{ nodes {{ {MOVES} }} }}",
    f"memberships(first: 100) {{ nodes {{ {MEMBER} }} }}",
    f"memberships(last: 50) {{ nodes {{ {MEMBER} }} }}",
    f"rotationPlans(first: 20) {{ nodes {{ {MOVES} slots {{ id version }} }} }}",
    f"rotationSlots(first: 100) {{ nodes {{ {MOVES} number handover {{ id version }} checkIns {{ id }} dockings {{ id }} }} }}",
    f"rotationSwaps(first: 50) {{ nodes {{ {MOVES} }} }}",
    f"whistles(first: 100) {{ nodes {{ {WHISTLE} }} }}",
    f"mobilizations(first: 50) {{ nodes {{ {ORDER} }} }}",
    f"pairings(first: 50) {{ nodes {{ {DATED} alliance {{ id }} }} }}",
    f"gridCells(first: 50) {{ nodes {{ {CELL} officerHistory {{ {OFFICER} }} }} }}",
    f"partyBranches(first: 100) {{ nodes {{ {BRANCH} }} }}",
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
    "alliance(id: $id) { gridNetworks { id kind alliance { id } } }",
]
MOVING = ["Problem", "PriorityTask", "TaskList", "RotationPlan", "RotationSlot", "RotationSwap"]
STANDING = ["Alliance", "ServiceTeam", "Account"]
OTHERS = {
    "Membership": MEMBER,
    # A whistle moves with its calls, and they with it.
    "Whistle": WHISTLE,
    "WhistleResponse": f"{CALL} whistle {{ {WHISTLE} }}",
    # An order moves the units that it calls, and they move without it.
    "Mobilization": ORDER,
    "MobilizationUnit": UNIT,
    "Pairing": f"{DATED} alliance {{ id }}",
    "GridNetwork": "kind alliance { id }",
    "GridCell": CELL,
    "GridOfficer": OFFICER,
    "PartyBranch": BRANCH,
    "BranchInstructor": f"{DATED} alliance {{ id }}",
}
AGAIN = "query ($id: ID!) { node(id: $id) { id %s } }" % " ".join(
    [f"... on {kind} {{ {MOVES} }}" for kind in MOVING]
    + [f"... on {kind} {{ alliance {{ id }} }}" for kind in ("Problem", "PriorityTask")]
    + [f"... on {kind} {{ version }}" for kind in STANDING]
    + [f"... on {kind} {{ {read} }}" for kind, read in OTHERS.items()]
)
LOOKED_AT = {snake(kind) for kind in (*MOVING, *STANDING, *OTHERS)}
# Communities and smaller places within a region.
LOW = "[VILLAGE, NATURAL_VILLAGE, COMPOUND, BUILDING]"
PLACES = f"query ($id: ID!) {{ regions(filter: {{ withinId: $id, level: {LOW} }}, first: 50) {{ nodes {{ id }} }} }}"
# In whose territory a thing lies is told by it or by what it is of.
OF = ("alliance", "network", "cell", "mobilization")
# Roles that answer for a unit and receive its people, roles that receive anybody, and what they do.
ANSWERING = {"MEMBER_MANAGER", "MEMBER_STAFF"}
RECEIVING = {"COMMITTEE", "COMMUNITY_OFFICER", "GRID_OFFICER"}
RECEPTION = ["checkInToMobilization", "checkInManyToMobilization", "checkOutOfMobilization"]
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


def answering_first(units):
    """Those of the units that answer, where there are any."""
    return sorted(units & Town.acting) or sorted(units)


class Town:
    # Units for which one of the principals at hand acts: what they are called to, somebody answers.
    acting = set()

    def __init__(self, demo, who):
        self.url = demo["url"]
        self.demo = demo
        self.who = who
        self.password = demo["accounts"].get(who, {}).get("password")
        self.role = demo["accounts"].get(who, {}).get("role")
        self.token = demo["dashboardKey"] if who == "key" else None
        self.ids, self.versions, self.moves = {}, {}, {}
        self.numbers, self.codes, self.home, self.kept, self.closed = [], [], {}, set(), set()
        # By alliance, its members, and those that can be called to its whistles; by whistle, its alliance and who is called to it.
        self.units, self.members, self.whistles = {}, {}, {}
        # By alliance, the region over which it lies, and the communities and smaller places in it.
        self.territory, self.places = {}, {}
        # What is told of a thing, what it is of, and what it stands below.
        self.facts, self.belongs, self.above = {}, {}, {}
        # By order, whom it calls, and by order and place, its shifts; by called unit, its order and organization.
        self.orders, self.shifts, self.calls = {}, {}, {}
        # By Party organisation, the inputs that name what it serves.
        self.matters = {}
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
            if alliance in self.territory:
                nodes = self.ask(PLACES, id=self.territory[alliance])["regions"]["nodes"]
                self.places[alliance] = [node["id"] for node in nodes]
        for global_id in self.demo["ids"].values():
            # What is not to be seen is asked for all the same.
            if not self.of(noun(global_id)):
                self.add(global_id)
        self.home["rotation_slot"] = [self.demo["ids"]["currentSlot"]]
        self.kept.update(account["id"] for account in self.demo["accounts"].values())
        self.kept.update(self.of("api_key"))
        if self.role in ANSWERING:
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
                if value.get("isOpen") is False or done or value.get("until"):
                    self.closed.add(own)
                self.note_place(own, value)
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

    def note_place(self, own, value):
        """Where a thing stands: in whose territory, since when, below what; and who is a member, or is called by an order."""
        self.facts.setdefault(own, {}).update({name: told for name, told in value.items() if isinstance(told, (str, int))})
        of = next((value[name]["id"] for name in OF if value.get(name)), None)
        if of:
            self.belongs[own] = of
        if value.get("parent"):
            self.above[own] = value["parent"]["id"]
        match noun(own):
            case "alliance" if value.get("region"):
                self.territory[own] = value["region"]["id"]
            case "membership" if value.get("alliance") and value.get("organization"):
                unit = value["organization"]
                for known in (self.units, self.members):
                    known.setdefault(of, set()).discard(unit["id"])
                    if value["state"] == "ACTIVE" and (known is self.units or unit["kind"] != "TOWN_COMMITTEE"):
                        known[of].add(unit["id"])
            case "mobilization" if "units" in value:
                self.orders[own] = {unit["organization"]["id"] for unit in value["units"]["nodes"] if unit["organization"]}
                acts = self.role in ANSWERING and self.orders[own].intersection(self.home.get("organization", []))
                # People come while the order stands.
                for name in RECEPTION:
                    movers = self.moves.setdefault(name, set())
                    if value["state"] == "ISSUED" and (acts or self.role in RECEIVING):
                        movers.add(own)
            case "party_branch" if "matters" in value:
                self.matters[own] = [{f"{name}Id": one["id"]} for matter in value["matters"] for name, one in matter.items() if one]
            case "mobilization_unit" if value.get("organization"):
                self.calls[own] = (of, value["organization"]["id"])
            case "mobilization_shift" if value.get("region"):
                self.shifts.setdefault((of, value["region"]["id"]), set()).add(own)

    def alliance(self, of):
        """The alliance in whose territory a thing lies."""
        while of in self.belongs:
            of = self.belongs[of]
        return of if of in self.territory else None

    def standing(self, name, alliance=None):
        """What of this noun has not ended in an alliance, or, where none is named, in one's own."""
        own = [alliance] if alliance else self.home.get("alliance", [])
        # Whoever holds a cell that has ended holds it no more.
        ended = {one for one in self.of(name) if {one, self.belongs.get(one)} & self.closed}
        return [one for one in self.of(name) if one not in ended and self.alliance(one) in own]

    def ended(self, name):
        """What of this noun has ended in one's own alliances, and did not change again."""
        own = self.home.get("alliance", [])
        closed = [one for one in self.of(name) if one in self.closed and self.alliance(one) in own]
        return [one for one in closed if self.facts[one]["version"] == 2]

    def callable(self, subject, also):
        """Units that can still be called to a whistle, or proposed in the place of one of its calls; those that answer come first."""
        alliance, called = self.whistles.get(subject, (None, set()))
        return answering_first(self.members.get(alliance, set()) - called - also)

    def orderable(self, order, alliance, also):
        """Units that can still be called by an order of an alliance; those that answer come first."""
        return answering_first(self.units.get(alliance, set()) - self.orders.get(order, set()) - also)

    def look_again(self, global_id):
        if noun(global_id) in LOOKED_AT:
            self.remember(self.ask(AGAIN, id=global_id))

    def version(self, global_id):
        self.look_again(global_id)
        return self.versions.get(global_id)

    def upload(self):
        headers = {"Content-Type": "application/octet-stream", "X-Concord-Upload": "1"}
        return self.post("/files?name=proof.png", PIXEL, headers).get("id")
