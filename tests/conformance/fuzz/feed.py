"""Puts the demo's data into generated operations: arguments get ids, dates, numbers and texts that fit their name."""

import base64
import datetime as dt
from dataclasses import replace

import graphql
from graphql import ast_from_value, get_named_type, is_input_object_type, is_list_type, is_non_null_type, is_required_argument
from graphql import is_required_input_field

from town import ANSWERING, snake

# Endings of the names of identifiers, and the nouns they name.
NOUNS = {
    "accountid": "account",
    "handlerid": "account",
    "allianceid": "alliance",
    "allianceids": "alliance",
    "apikeyid": "api_key",
    "branchid": "party_branch",
    "calendarfeedid": "calendar_feed",
    "cellid": "grid_cell",
    "entryids": "inbox_entry",
    "duplicateid": "problem",
    "extensionid": "extension",
    "externalidentityid": "external_identity",
    "followupid": "follow_up",
    "instructorid": "branch_instructor",
    "itemid": "handover_item",
    "noticeid": "supervision_notice",
    "savedfilterid": "saved_filter",
    "survivorid": "problem",
    "fileids": "stored_file",
    "handoverid": "handover",
    "membershipid": "membership",
    "milestoneid": "task_milestone",
    "mobilizationid": "mobilization",
    "networkid": "grid_network",
    "officerid": "grid_officer",
    "organizationid": "organization",
    "organizationids": "organization",
    "pairingid": "pairing",
    "planid": "rotation_plan",
    "problemid": "problem",
    "regionid": "region",
    "regionids": "region",
    "responseid": "whistle_response",
    "whistleid": "whistle",
    "withinid": "region",
    "seatid": "seat",
    "slotid": "rotation_slot",
    "shiftid": "mobilization_shift",
    "swapid": "rotation_swap",
    "tasklistid": "task_list",
    "taskid": "priority_task",
    "teamid": "service_team",
    "teamids": "service_team",
}
# What an `id` names, by the field's type where the name of the type is not the noun.
TYPES = {"Account": "account", "Problem": "problem", "Region": "region", "Membership": "membership", "Alliance": "alliance"}
# Inputs that may be left out as far as the schema goes, but of which a mutation wants one, and those that exclude them.
OFTEN = {
    ("blockRotationMonth", "slotNumber"): 1,
    ("blockRotationMonth", "month"): 0.05,
    ("unblockRotationMonth", "slotNumber"): 1,
    ("unblockRotationMonth", "month"): 0.05,
    ("createRotationPlan", "firstMonth"): 1,
    ("createRotationPlan", "anchorOn"): 0.05,
    ("previewRotation", "firstMonth"): 1,
    ("previewRotation", "anchorOn"): 0.05,
    ("updateRotationPlan", "anchorOn"): 0.05,
    ("inviteOrganization", "name"): 0.95,
    ("inviteOrganization", "kind"): 0.95,
    ("inviteOrganization", "organizationId"): 0.1,
    ("assignRole", "organizationId"): 0.6,
    ("createPriorityTask", "regionId"): 0.05,
    ("registerProblem", "regionId"): 0.1,
    ("applyForWhistle", "regionId"): 0.1,
    # Whom else than the town's own members to call.
    ("callWhistleUnits", "allianceId"): 0.05,
    ("rerouteWhistleCall", "organizationId"): 0.95,
    # An order says where and whom it calls.
    ("draftMobilization", "needs"): 0.8,
    ("draftMobilization", "units"): 1,
    # The town is covered as a whole: what is drawn over it is there for one place.
    ("drawGridCell", "category"): 1,
    ("assignGridOfficer", "isMain"): 1,
    # From which day on, where a change lies ahead already.
    ("redrawGridCell", "since"): 1,
    ("changePartyBranch", "hostsSince"): 1,
    ("establishPartyBranch", "hosts"): 1,
    ("establishPartyBranches", "hosts"): 1,
    ("establishPartyBranch", "secretaryName"): 0.75,
}
# What is said of these decides what fits the others.
LEADING = ["whistleId", "responseId", "mobilizationId", "networkId", "cellId", "branchId", "allianceId", "kind", "role", "parentId"]
# Mutations whose units are called to a whistle, or might be.
WHISTLES = {"whistle", "whistle_response"}
CALLING = {"soundWhistle", "callWhistleUnits", "rerouteWhistleCall", "refuseWhistleCall"}
# Mutations that call units by an order, that let people go or receive them, and that end what others may stand below.
ORDERING = {"draftMobilization", "callMobilizationUnits"}
LEAVING = {"checkOutOfMobilization", "endHomeReport"}
COMING = LEAVING | {"checkInToMobilization", "checkInManyToMobilization", "reportHome", "reportHomes"}
ENDING = {"endGridCell", "endPartyBranch"}
# Mutations that erase a person from what has ended.
ERASING = {"eraseGridOfficer": "grid_officer", "eraseBranchInstructor": "branch_instructor"}
# Mutations whose organizations are no members yet, and those whose organizations are any members.
STRANGERS = {"inviteOrganization", "applyForMembership"}
PAIRING = {"pairOrganization", "pairOrganizations"}
# Kinds of Party organisations, each with those below which it stands.
BELOW = {
    "COMMITTEE": [],
    "GENERAL_BRANCH": ["COMMITTEE"],
    "BRANCH": ["COMMITTEE", "GENERAL_BRANCH"],
    "PARTY_GROUP": ["BRANCH"],
}
# What a `parentId` names, where it is not an alliance.
PARENTS = {"recordRegion": "region", "regions": "region", "drawGridCell": "grid_cell"}
PARENTS |= dict.fromkeys(("establishPartyBranch", "establishPartyBranches", "changePartyBranch", "partyBranches"), "party_branch")
# What is to be done first where a mutation finds nothing that it could move or build upon.
FIRST = {
    "amendMobilizationNeeds": "draftMobilization",
    "callMobilizationUnits": "draftMobilization",
    "addMobilizationShifts": "draftMobilization",
    "issueMobilization": "draftMobilization",
    "discardMobilization": "draftMobilization",
    "standDownMobilization": "issueMobilization",
    "acknowledgeMobilization": "issueMobilization",
    "arriveAtMobilization": "issueMobilization",
    "releaseMobilizationUnit": "issueMobilization",
    "checkInToMobilization": "issueMobilization",
    "checkInManyToMobilization": "issueMobilization",
    "checkOutOfMobilization": "checkInToMobilization",
    "endHomeReport": "reportHome",
    "endPairing": "pairOrganization",
    "drawGridCell": "establishGridNetwork",
    "redrawGridCell": "drawGridCell",
    "endGridCell": "drawGridCell",
    "assignGridOfficer": "drawGridCell",
    "endGridOfficer": "assignGridOfficer",
    "eraseGridOfficer": "endGridOfficer",
    "changePartyBranch": "establishPartyBranch",
    "countPartyMembers": "establishPartyBranch",
    "linkBranchMatter": "establishPartyBranch",
    "unlinkBranchMatter": "linkBranchMatter",
    "eraseBranchSecretary": "establishPartyBranch",
    "endPartyBranch": "establishPartyBranch",
    "endBranchInstructor": "appointBranchInstructor",
    "eraseBranchInstructor": "endBranchInstructor",
}
# What some of these make, of which nobody is told which mutations are open on it.
MADE = {
    "pairOrganization": "pairing",
    "establishGridNetwork": "grid_network",
    "drawGridCell": "grid_cell",
    "assignGridOfficer": "grid_officer",
    "establishPartyBranch": "party_branch",
    "appointBranchInstructor": "branch_instructor",
}
# What an alliance has of its own.
OWN = {"problem", "priority_task", "whistle", *MADE.values()}
# Closing any of these for one of the demo's people or keys would take the ground from under whoever follows.
LASTING = {"disableAccount", "resetPassword", "endSeat", "revokeApiKey"}
PHRASES = ["路灯不亮", "排水沟堵塞", "对接社区需求", "材料不全", "已到现场查看", "会议纪要", "楼道杂物", "便民服务点"]
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(random):
    """A unified social credit code with its check character (GB 32100-2015)."""
    code = "91" + "630000" + "".join(random.choice(LETTERS) for _ in range(9))
    total = sum(LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(code))
    return code + LETTERS[-total % 31]


class Feeder:
    # By order, what those who came are called, and by alliance, those who reported home.
    people = {}

    def __init__(self, town, schema, random):
        self.town, self.schema, self.random = town, schema, random
        self.today = dt.date.today()
        self.count = 0
        # Of the operation at hand: the whistle or call that moves, and whom it calls.
        self.subject, self.called = None, set()
        # What the inputs around a value say already, the innermost last.
        self.inputs = []

    def given(self, *names):
        """What the inputs around a value say under one of these names."""
        return next((said[name] for said in reversed(self.inputs) for name in names if name in said), None)

    def alliance(self):
        """The alliance that the inputs around a value are about."""
        named = (self.town.alliance(value) for said in reversed(self.inputs) for value in said.values() if isinstance(value, str))
        return next((one for one in named if one), None)

    def facts(self):
        """What is known of the things that the inputs around a value name."""
        named = [value for said in self.inputs for value in said.values() if isinstance(value, str)]
        return [self.town.facts[one] for one in named if one in self.town.facts]

    def party_kind(self):
        """The kind of the Party organisation at hand."""
        kind = self.town.facts.get(self.given("branchId"), {}).get("kind") or self.given("kind")
        return kind if isinstance(kind, str) and kind in BELOW else None

    def day(self, before, after):
        return self.today + dt.timedelta(days=self.random.randint(-before, after))

    def moment(self, name):
        now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
        if name == "at" and self.given("mobilizationId"):
            # Orders were issued just now.
            return (now + dt.timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        ahead = {
            "reportInBy": (1, 5),
            "resolveBy": (6, 60),
            "expiresAt": (1, 60),
            "recordedTo": (1, 60),
            "startsAt": (0, 2),
            "endsAt": (3, 5),
        }.get(name, (-3, 0))
        ahead = self.random.randint(*ahead)
        return (now + dt.timedelta(days=ahead, minutes=-5)).isoformat().replace("+00:00", "Z")

    def date(self, name, field):
        """A day; where a thing that has a first day is at hand, none before that, nor before its last change."""
        facts = self.facts()
        since = max((dt.date.fromisoformat(known["since"]) for known in facts if "since" in known), default=None)
        now = max(self.today, since or self.today)
        if name == "countedOn" or self.given("branchId", "instructorId"):
            # Of branches nothing is told ahead.
            return now
        if name == "since" and field != "redrawGridCell":
            return now - dt.timedelta(days=self.random.randint(0, min(30, (now - since).days) if since else 30))
        if since and name in ("since", "hostsSince", "until"):
            # Each version has a week of its own, so that changes follow each other.
            version = max(known.get("version", 1) for known in facts)
            return now + dt.timedelta(days=7 * version + self.random.randint(0, 6))
        early = name in ("from", "dueFrom", "startsOn", "on")
        return self.day(30, 0) if early else self.day(-10, 60)

    def month(self):
        month = self.today.month - 1 + self.random.randint(0, 30)
        return f"{self.today.year + month // 12}-{month % 12 + 1:02}"

    def integer(self, name):
        if name == "level":
            above = self.town.facts.get(self.given("parentId"), {}).get("level")
            return above + 1 if above else self.random.randint(1, 5)
        low, high = {
            # The groups of a branch are no more than the branch.
            "memberCount": (1, 3) if self.party_kind() == "PARTY_GROUP" else (40, 90),
            "first": (1, 20),
            "last": (1, 20),
            "year": (self.today.year, self.today.year),
            "percent": (0, 100),
            "days": (0, 20),
            "after": (0, 50),
            "slotNumber": (1, 12),
            "slotCount": (1, 12),
            "score": (1, 5),
            "checkInWorkingDay": (1, 10),
            "cadenceEvery": (1, 2),
        }.get(name, (1, 20))
        return self.random.randint(low, high)

    def text(self, name, field):
        self.count += 1
        if name == "person":
            return self.person(field)
        lowered = name.lower()
        unique = f"{self.town.who}{self.count}{self.random.randrange(10**6)}"
        if name == "number" and self.town.numbers:
            return self.random.choice(self.town.numbers)
        if name == "code" and self.town.codes and field == "regionByCode":
            return self.random.choice(self.town.codes)
        if lowered.endswith("phone"):
            return f"139{self.random.randrange(10**8):08}"
        if "password" in lowered:
            return self.town.password or "staple horse battery"
        fixed = {
            "username": unique,
            "creditCode": credit_code(self.random),
            "timeZone": "Asia/Shanghai",
            "numberPattern": f"{unique[-4:]}〔{{year}}〕{{seq:4}}号",
            "filter": "{}",
            "issuer": "https://login.example.gov.cn",
            "subject": unique,
            "code": {"regionByCode": "632223", "drawGridCell": unique}.get(field),
        }
        if name in fixed:
            return fixed[name]
        return f"{self.random.choice(PHRASES)}{unique}"

    def person(self, field):
        """What somebody is called: whoever leaves or comes again, as when they came."""
        known = Feeder.people.setdefault(self.given("mobilizationId", "allianceId"), [])
        if known and field in LEAVING:
            return known.pop(self.random.randrange(len(known)))
        if known and self.random.random() < 0.25:
            return self.random.choice(known)
        person = f"V{self.random.randrange(10**6):06}"
        if field not in LEAVING:
            known.append(person)
        return person

    def choice(self, kind, field):
        """One value of an enum."""
        options = list(kind.values)
        match kind.name:
            case "GridNetworkKind" if field == "establishGridNetwork":
                there = self.kinds("grid_network")
                options = [one for one in options if one not in there] or options
            case "GridCellCategory" if field == "drawGridCell":
                options += ["SPECIAL"] * 6
            case "PartyBranchKind" if field != "partyBranches":
                # A group always stands below a branch.
                there = self.kinds("party_branch")
                options = [one for one in options if one != "PARTY_GROUP" or there.intersection(BELOW[one])]
        return self.random.choice(options)

    def kinds(self, noun):
        """The kinds of such things that the alliance at hand has."""
        return {self.town.facts[one]["kind"] for one in self.town.standing(noun, self.alliance())}

    def main_is_taken(self):
        """Whether somebody is the main officer of the cell and role at hand."""
        held = [(one, self.town.facts[one]) for one in self.town.standing("grid_officer")]
        held = [(self.town.belongs[one], known["role"]) for one, known in held if known["isMain"]]
        return (self.given("cellId"), self.given("role")) in held

    def near(self, wanted, name, field):
        """Of what fits, that which lies in the alliance that the inputs are about, or, where they name none, in one's own."""
        town, alliance = self.town, self.alliance()
        if wanted == "mobilization_shift":
            return sorted(town.shifts.get((self.given("mobilizationId"), self.given("regionId")), ()))
        if wanted == "organization" and alliance and field not in STRANGERS:
            own = town.home.get(wanted, []) if field in COMING and town.role in ANSWERING else []
            return own or sorted(town.orders.get(self.given("mobilizationId")) or town.units.get(alliance, ()))
        if wanted == "region" and alliance:
            whole = field == "draftMobilization" and name == "regionIds"
            return [town.territory[alliance]] if whole else town.places.get(alliance, [])
        if wanted not in OWN or not (alliance or field in FIRST):
            return []
        if field in ERASING:
            return town.ended(wanted)
        known = town.standing(wanted, alliance)
        if field == "unlinkBranchMatter":
            return [one for one in known if town.matters.get(one)]
        if field in ENDING:
            above = {one for below, one in town.above.items() if below not in town.closed}
            return [one for one in known if one not in above]
        if name == "parentId" and wanted == "party_branch":
            return [one for one in known if town.facts[one]["kind"] in BELOW.get(self.party_kind(), [])]
        if name == "parentId" and wanted == "grid_cell":
            return [one for one in known if town.belongs[one] == self.given("networkId") and town.facts[one]["level"] < 5]
        return known

    def identifier(self, name, field, returned):
        """A global id that fits the argument."""
        lowered = name.lower()
        ending = max((ending for ending in NOUNS if lowered.endswith(ending)), key=len, default=None)
        if field in ("node", "nodes", "history"):
            wanted = self.random.choice([known for known in self.town.ids if known != "account"])
        elif ending:
            wanted = NOUNS[ending]
        elif name == "parentId":
            wanted = PARENTS.get(field, "alliance")
        else:
            wanted = TYPES.get(returned, snake(returned))
        if wanted == "stored_file":
            return self.town.upload() or self.nobodys(wanted)
        if field in CALLING | ORDERING and wanted == "organization":
            ordered = (self.given("mobilizationId"), self.alliance())
            free = self.town.callable(self.subject, self.called) if field in CALLING else self.town.orderable(*ordered, self.called)
            if free:
                unit = self.random.choice(free)
                self.called.add(unit)
                return unit
        open_to = sorted(self.town.moves.get(field, ()))
        units = [known for known in open_to if known in self.town.calls]
        if units and wanted == "mobilization":
            # A called unit is told by its order and its organization.
            self.subject = self.random.choice(units)
        if self.subject in self.town.calls:
            return self.town.calls[self.subject][wanted == "organization"]
        fitting = [known for known in open_to if known in self.town.of(wanted)]
        if field in LEAVING:
            fitting = [known for known in fitting if Feeder.people.get(known)] or fitting
        if fitting:
            chosen = self.random.choice(fitting)
            if wanted in WHISTLES:
                self.subject = chosen
            return chosen
        known = self.near(wanted, name, field)
        if not known and (name == "shiftId" or (name == "parentId" and wanted in OWN)):
            return None
        known = known or self.town.of(wanted)
        if field in LASTING:
            known = [one for one in known if one not in self.town.kept]
        home = [one for one in self.town.home.get(wanted, []) if one in known]
        if home and (field not in PAIRING or wanted != "organization") and self.random.random() < 0.8:
            return self.random.choice(home)
        known = [one for one in known if one not in self.town.closed] or known
        return self.random.choice(known) if known else self.nobodys(wanted)

    def nobodys(self, noun):
        """A well-formed id of an object that is not there."""
        raw = f"{noun}:".encode() + self.random.randbytes(16)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def value(self, kind, name, field, returned):
        """A value of an input type, as Python; None where nothing fits."""
        if is_non_null_type(kind):
            kind = kind.of_type
        if is_list_type(kind):
            items = [self.value(kind.of_type, name, field, returned) for _ in range(self.random.randint(1, 3))]
            return list({str(item): item for item in items if item is not None}.values())
        if is_input_object_type(kind):
            return self.object(kind, field, returned)
        if graphql.is_enum_type(kind):
            return self.choice(kind, field)
        match kind.name:
            case "ID":
                return self.identifier(name, field, returned)
            case "Date":
                return str(self.date(name, field))
            case "DateTime":
                return self.moment(name)
            case "YearMonth":
                return self.month()
            case "Int":
                return self.integer(name)
            case "Boolean":
                return self.random.random() < 0.5 and not (name == "isMain" and self.main_is_taken())
            case _:
                return self.text(name, field)

    def object(self, kind, field, returned):
        fields = kind.fields
        if kind.name in self.town.one_of:
            served = self.town.matters.get(self.given("branchId"))
            if served and field == "unlinkBranchMatter":
                return self.random.choice(served)
            # Usernames of people who are not there lead nowhere.
            nouns = {name: NOUNS.get(name.lower()) for name in fields if name != "username"}
            there = [name for name, noun in nouns.items() if noun not in OWN or self.near(noun, name, field)]
            name = self.random.choice(there or list(nouns))
            return {name: self.value(fields[name].type, name, field, returned)}
        chosen = {}
        self.inputs.append(chosen)
        for name in sorted(fields, key=lambda name: LEADING.index(name) if name in LEADING else len(LEADING)):
            member = fields[name]
            required = is_required_input_field(member)
            if name == "expectedVersion":
                continue
            if required or self.random.random() < self.often(name, field):
                value = self.value(member.type, name, field, returned)
                if value is not None:
                    chosen[name] = value
        self.inputs.pop()
        if "expectedVersion" in fields:
            # The first id is that of the object that moves, unless that is a unit that an order calls.
            subject = next(value for name, value in chosen.items() if name.endswith("Id"))
            subject = self.subject if self.subject in self.town.calls else subject
            chosen["expectedVersion"] = self.town.version(subject) or 1
        return chosen

    def often(self, name, field):
        """How often an input is given that may be left out."""
        if self.party_kind() == "PARTY_GROUP" and name in ("hosts", "parentId"):
            # A group is at home where its branch is.
            return name == "parentId" and "establish" in field
        if name == "organizationId" and field in COMING and self.town.role in ANSWERING:
            return 1
        return OFTEN.get((field, name), 0.25)

    def field(self, node, definition, parent):
        """The arguments of one selected field, anew."""
        returned = get_named_type(definition.type).name
        is_mutation = parent is self.schema.mutation_type
        if is_mutation:
            # A payload is named after its mutation; what the mutation is about is its first object.
            inner = get_named_type(definition.type).fields
            returned = next((get_named_type(f.type).name for n, f in inner.items() if n not in ("userErrors", "warnings")), "")
        arguments, given = [], {}
        self.inputs = [given]
        pages = self.random.choice(["first", "first", "last", None])
        for name, argument in definition.args.items():
            required = is_required_argument(argument)
            if name in ("first", "last", "before", "after") and get_named_type(argument.type).name != "ID":
                cursor = name in ("before", "after") and get_named_type(argument.type).name == "String"
                if not required and (cursor or (name in ("first", "last") and name != pages)):
                    continue
            elif not required and self.random.random() > 0.4:
                continue
            value = self.value(argument.type, name, node.name.value, returned)
            if value is None:
                continue
            given[name] = value
            literal = ast_from_value(value, argument.type)
            arguments.append(graphql.ArgumentNode(name=graphql.NameNode(value=name), value=literal))
        self.inputs = []
        return arguments

    def finds(self, name):
        """Whether there is something that a mutation could move or build upon."""
        if name in LEAVING:
            known = self.town.moves.get(name) or self.town.home.get("alliance", ())
            return any(Feeder.people.get(one) for one in known)
        if name in ERASING:
            return bool(self.town.ended(ERASING[name]))
        if name == "unlinkBranchMatter":
            return bool(self.near("party_branch", "branchId", name))
        made = MADE.get(FIRST[name])
        return bool(self.town.standing(made) if made else self.town.moves.get(name))

    def prepare(self, name):
        """Has done first what a mutation builds upon, where it finds nothing of the kind; tells what was made."""
        if name not in FIRST or self.finds(name):
            return []
        first = FIRST[name]
        made = self.prepare(first)
        answer = self.town.ask(self.operation(f"mutation {{ {first} {{ __typename }} }}")).get(first) or {}
        if answer.get("made"):
            made.append(answer["made"]["id"])
            self.town.add(made[-1])
            self.town.look_again(made[-1])
        return made

    def operation(self, text):
        """The generated operation with the demo's data in it."""
        document = graphql.parse(text)
        info = graphql.TypeInfo(self.schema)
        feeder = self
        self.subject, self.called = None, set()

        class Visitor(graphql.Visitor):
            def enter_field(self, node, *_):
                definition, parent = info.get_field_def(), info.get_parent_type()
                if definition is None:
                    return None
                changed = node
                if parent is feeder.schema.mutation_type:
                    changed = with_outcome(changed, get_named_type(definition.type))
                if definition.args:
                    changed = replace(changed, arguments=tuple(feeder.field(node, definition, parent)))
                return None if changed is node else changed

        return graphql.print_ast(graphql.visit(document, graphql.TypeInfoVisitor(info, Visitor())))


def selected(name, alias, *inner):
    return graphql.FieldNode(
        alias=graphql.NameNode(value=alias),
        name=graphql.NameNode(value=name),
        selection_set=graphql.SelectionSetNode(selections=tuple(graphql.FieldNode(name=graphql.NameNode(value=one)) for one in inner)),
    )


def with_outcome(node, payload):
    """Lets a mutation tell what became of it: the codes of refusals, and the id of what it made or moved."""
    more = [selected("userErrors", "refusals", "code")]
    for name, member in payload.fields.items():
        kind = get_named_type(member.type)
        if graphql.is_object_type(kind) and "id" in kind.fields:
            more.append(selected(name, "made", "id"))
            break
    selections = (*node.selection_set.selections, *more)
    return replace(node, selection_set=replace(node.selection_set, selections=selections))
