"""Puts the demo's data into generated operations: arguments get ids, dates, numbers and texts that fit their name."""

import base64
import datetime as dt
from dataclasses import replace

import graphql
from graphql import ast_from_value, get_named_type, is_input_object_type, is_list_type, is_non_null_type, is_required_argument
from graphql import is_required_input_field

# Endings of the names of identifiers, and the nouns they name.
NOUNS = {
    "accountid": "account",
    "handlerid": "account",
    "allianceid": "alliance",
    "allianceids": "alliance",
    "apikeyid": "api_key",
    "calendarfeedid": "calendar_feed",
    "entryids": "inbox_entry",
    "duplicateid": "problem",
    "extensionid": "extension",
    "externalidentityid": "external_identity",
    "followupid": "follow_up",
    "itemid": "handover_item",
    "noticeid": "supervision_notice",
    "savedfilterid": "saved_filter",
    "survivorid": "problem",
    "fileids": "stored_file",
    "handoverid": "handover",
    "membershipid": "membership",
    "milestoneid": "task_milestone",
    "organizationid": "organization",
    "organizationids": "organization",
    "planid": "rotation_plan",
    "problemid": "problem",
    "regionid": "region",
    "responseid": "whistle_response",
    "whistleid": "whistle",
    "withinid": "region",
    "seatid": "seat",
    "slotid": "rotation_slot",
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
}
# Mutations whose units are called to a whistle, or might be.
WHISTLES = {"whistle", "whistle_response"}
CALLING = {"soundWhistle", "callWhistleUnits", "rerouteWhistleCall", "refuseWhistleCall"}
# Closing any of these for one of the demo's people or keys would take the ground from under whoever follows.
LASTING = {"disableAccount", "resetPassword", "endSeat", "revokeApiKey"}
PHRASES = ["路灯不亮", "排水沟堵塞", "对接社区需求", "材料不全", "已到现场查看", "会议纪要", "楼道杂物", "便民服务点"]
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def snake(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def credit_code(random):
    """A unified social credit code with its check character (GB 32100-2015)."""
    code = "91" + "630000" + "".join(random.choice(LETTERS) for _ in range(9))
    total = sum(LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(code))
    return code + LETTERS[-total % 31]


class Feeder:
    def __init__(self, town, schema, random):
        self.town, self.schema, self.random = town, schema, random
        self.today = dt.date.today()
        self.count = 0
        # Of the operation at hand: the whistle or call that moves, and whom it calls.
        self.subject, self.called = None, set()

    def day(self, before, after):
        return self.today + dt.timedelta(days=self.random.randint(-before, after))

    def moment(self, name):
        now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
        ahead = {"reportInBy": (1, 5), "resolveBy": (6, 60), "expiresAt": (1, 60), "recordedTo": (1, 60)}.get(name, (-3, 0))
        ahead = self.random.randint(*ahead)
        return (now + dt.timedelta(days=ahead, minutes=-5)).isoformat().replace("+00:00", "Z")

    def month(self):
        month = self.today.month - 1 + self.random.randint(0, 30)
        return f"{self.today.year + month // 12}-{month % 12 + 1:02}"

    def integer(self, name):
        low, high = {
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
            "code": "632223" if field == "regionByCode" else None,
        }
        if name in fixed:
            return fixed[name]
        return f"{self.random.choice(PHRASES)}{unique}"

    def identifier(self, name, field, returned):
        """A global id that fits the argument."""
        lowered = name.lower()
        ending = max((ending for ending in NOUNS if lowered.endswith(ending)), key=len, default=None)
        if field in ("node", "nodes", "history"):
            wanted = self.random.choice([known for known in self.town.ids if known != "account"])
        elif ending:
            wanted = NOUNS[ending]
        elif name == "parentId":
            wanted = "region" if field == "recordRegion" else "alliance"
        else:
            wanted = TYPES.get(returned, snake(returned))
        if wanted == "stored_file":
            return self.town.upload() or self.nobodys(wanted)
        if field in CALLING and wanted == "organization":
            free = [unit for unit in self.town.callable(self.subject) if unit not in self.called]
            if free:
                unit = self.random.choice(free)
                self.called.add(unit)
                return unit
        open_to = sorted(self.town.moves.get(field, ()))
        fitting = [known for known in open_to if known in self.town.of(wanted)]
        if fitting:
            chosen = self.random.choice(fitting)
            if wanted in WHISTLES:
                self.subject = chosen
            return chosen
        known = self.town.of(wanted)
        if field in LASTING:
            known = [one for one in known if one not in self.town.kept]
        home = [one for one in self.town.home.get(wanted, []) if one in known]
        if home and self.random.random() < 0.8:
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
            return self.random.choice(list(kind.values))
        match kind.name:
            case "ID":
                return self.identifier(name, field, returned)
            case "Date":
                early = name in ("from", "dueFrom", "startsOn", "on")
                return str(self.day(30, 0) if early else self.day(-10, 60))
            case "DateTime":
                return self.moment(name)
            case "YearMonth":
                return self.month()
            case "Int":
                return self.integer(name)
            case "Boolean":
                return self.random.random() < 0.5
            case _:
                return self.text(name, field)

    def object(self, kind, field, returned):
        fields = kind.fields
        if kind.name in self.town.one_of:
            # Usernames of people who are not there lead nowhere.
            name = self.random.choice([name for name in fields if name != "username"])
            return {name: self.value(fields[name].type, name, field, returned)}
        chosen = {}
        # Whom to call depends on the whistle.
        for name, member in sorted(fields.items(), key=lambda field: field[0] not in ("whistleId", "responseId")):
            required = is_required_input_field(member)
            if name == "expectedVersion":
                continue
            often = OFTEN.get((field, name), 0.25)
            if required or self.random.random() < often:
                value = self.value(member.type, name, field, returned)
                if value is not None:
                    chosen[name] = value
        if "expectedVersion" in fields:
            # The first id is that of the object that moves.
            subject = next(value for name, value in chosen.items() if name.endswith("Id"))
            chosen["expectedVersion"] = self.town.version(subject) or 1
        return chosen

    def field(self, node, definition, parent):
        """The arguments of one selected field, anew."""
        returned = get_named_type(definition.type).name
        is_mutation = parent is self.schema.mutation_type
        if is_mutation:
            # A payload is named after its mutation; what the mutation is about is its first object.
            inner = get_named_type(definition.type).fields
            returned = next((get_named_type(f.type).name for n, f in inner.items() if n not in ("userErrors", "warnings")), "")
        arguments = []
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
            literal = ast_from_value(value, argument.type)
            arguments.append(graphql.ArgumentNode(name=graphql.NameNode(value=name), value=literal))
        return arguments

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
    more = [selected("userErrors", "outcome", "code")]
    for name, member in payload.fields.items():
        kind = get_named_type(member.type)
        if graphql.is_object_type(kind) and "id" in kind.fields:
            more.append(selected(name, "made", "id"))
            break
    selections = (*node.selection_set.selections, *more)
    return replace(node, selection_set=replace(node.selection_set, selections=selections))
