//! The product's contract as introspection tells it, and requests made of it: for every root field arguments that get past
//! the checks of form, for every place of an identifier the noun it names, for every type a selection.

use std::collections::{BTreeMap, BTreeSet};

use concord::graphql::{self, id};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Endings of the names of identifiers, and the nouns they name. The longest that fits counts.
const NOUNS: [(&str, &str); 48] = [
    ("extensionid", "extension"),
    ("noticeid", "supervision_notice"),
    ("accountid", "account"),
    ("handlerid", "account"),
    ("allianceid", "alliance"),
    ("apikeyid", "api_key"),
    ("below", "region"),
    ("calendarfeedid", "calendar_feed"),
    ("checkinid", "check_in"),
    ("dockingid", "docking"),
    ("duplicateid", "problem"),
    ("entryid", "inbox_entry"),
    ("eventid", "event"),
    ("evidenceid", "evidence"),
    ("externalidentityid", "external_identity"),
    ("feedid", "calendar_feed"),
    ("fileid", "stored_file"),
    ("followupid", "follow_up"),
    ("filterid", "saved_filter"),
    ("handoverid", "handover"),
    ("itemid", "handover_item"),
    ("keyid", "api_key"),
    ("listid", "task_list"),
    ("membershipid", "membership"),
    ("mobilizationid", "mobilization"),
    ("pairingid", "pairing"),
    ("shiftid", "mobilization_shift"),
    ("milestoneid", "task_milestone"),
    ("organizationid", "organization"),
    ("planid", "rotation_plan"),
    ("problemid", "problem"),
    ("regionid", "region"),
    ("seatid", "seat"),
    ("sessionid", "session"),
    ("slotid", "rotation_slot"),
    ("subjectid", "problem"),
    ("survivorid", "problem"),
    ("swapid", "rotation_swap"),
    ("taskid", "priority_task"),
    ("teamid", "service_team"),
    ("responseid", "whistle_response"),
    ("whistleid", "whistle"),
    ("withinid", "region"),
    ("networkid", "grid_network"),
    ("cellid", "grid_cell"),
    ("officerid", "grid_officer"),
    ("branchid", "party_branch"),
    ("instructorid", "branch_instructor"),
];

/// Texts that must be of a certain form to get past the checks of form.
const TEXTS: [(&str, &str); 10] = [
    ("code", "632223"),
    ("creditCode", "91230800DEM0001100"),
    ("currentPassword", "correct horse battery"),
    ("filter", "{\"open\":true}"),
    ("newPassword", "staple horse battery"),
    ("numberPattern", "西海销〔{year}〕{seq:4}号"),
    ("password", "correct horse battery"),
    ("person", "V0001"),
    ("phone", "13900000000"),
    ("timeZone", "Asia/Shanghai"),
];

/// Inputs that may be left out as far as the schema goes, but of which a verb wants one.
const ASKED: [&str; 3] = ["firstMonth", "hosts", "slotNumber"];

/// The schema as introspection tells it.
#[derive(Clone)]
pub struct Contract {
    types: BTreeMap<String, Value>,
}

/// One root field.
#[derive(Clone)]
pub struct Root {
    pub operation: &'static str,
    pub name: String,
    pub field: Value,
}

impl Root {
    /// The field as the golden files name it.
    pub fn label(&self) -> String {
        format!("{}.{}", self.operation, self.name)
    }
}

/// Where an argument takes an identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Names of the argument and the inputs below it, with dots; a list's items stand under the list's name.
    pub path: String,
    /// What it names; nothing where it may name anything.
    pub noun: Option<String>,
}

impl Place {
    /// Whether the input at `path` has to be given to give this one.
    pub fn is_at_or_below(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Identifiers of objects by noun.
#[derive(Clone, Debug, Default)]
pub struct Objects(pub BTreeMap<String, Uuid>);

impl Objects {
    /// The global id of the object of a noun; what may be anything is the alliance.
    pub fn id(&self, noun: Option<&str>) -> String {
        let noun = noun.unwrap_or("alliance");
        let raw = self.0.get(noun).unwrap_or_else(|| panic!("no specimen of {noun}"));
        id::encode_raw(noun, *raw).to_string()
    }
}

impl Contract {
    /// Asks the product's own schema.
    pub async fn read() -> Self {
        let query = "{ __schema { types { name kind isOneOf enumValues(includeDeprecated: true) { name }
            possibleTypes { name } interfaces { name } inputFields { name defaultValue type { ...T } }
            fields(includeDeprecated: true) { name type { ...T } args { name defaultValue type { ...T } } } } } }
            fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let answer = serde_json::to_value(graphql::schema().execute(query).await).expect("an answer");
        assert!(answer["errors"].is_null(), "{answer:#}");
        let types = answer["data"]["__schema"]["types"].as_array().expect("types").clone();
        let named = |value: Value| (value["name"].as_str().expect("a name").to_owned(), value);
        Self { types: types.into_iter().map(named).collect() }
    }

    /// The same contract with one more field, or input field, of a type: to prove that whoever walks it notices.
    #[must_use]
    pub fn with(mut self, of: &str, list: &str, field: Value) -> Self {
        let fields = self.types.get_mut(of).expect("a type")[list].as_array_mut().expect("fields");
        fields.push(field);
        self
    }

    pub fn roots(&self) -> Vec<Root> {
        let mut found = Vec::new();
        for (root, operation) in
            [("Query", "query"), ("Mutation", "mutation"), ("Subscription", "subscription")]
        {
            for field in self.fields(root) {
                let name = text(field, "name").to_owned();
                found.push(Root { operation, name, field: field.clone() });
            }
        }
        found
    }

    /// The object types with a global id, and their nouns.
    pub fn nodes(&self) -> Vec<(String, String)> {
        let of = |value: &Value| text(value, "name").to_owned();
        let listed = self.types["Node"]["possibleTypes"].as_array().into_iter().flatten();
        listed.map(|value| (of(value), snake(text(value, "name")))).collect()
    }

    /// The fields of an object type.
    pub fn fields(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.types[name]["fields"].as_array().into_iter().flatten()
    }

    /// The values of an enumeration.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.types[name]["enumValues"].as_array().into_iter().flatten().map(|value| text(value, "name"))
    }

    /// `OBJECT`, `SCALAR` and so on.
    pub fn kind(&self, name: &str) -> &str {
        text(&self.types[name], "kind")
    }

    /// The type's own name, without lists and marks of necessity.
    pub fn named<'a>(&self, of: &'a Value) -> &'a str {
        match of["name"].as_str() {
            Some(name) if of["ofType"].is_null() => name,
            _ => self.named(&of["ofType"]),
        }
    }

    /// Every place where a root field takes an identifier, however deep.
    pub fn places(&self, root: &Root) -> Vec<Place> {
        let mut found = Vec::new();
        for argument in root.field["args"].as_array().into_iter().flatten() {
            self.places_below(
                root,
                text(argument, "name"),
                text(argument, "name"),
                &argument["type"],
                &mut found,
            );
        }
        found
    }

    fn places_below(&self, root: &Root, path: &str, name: &str, of: &Value, found: &mut Vec<Place>) {
        let named = self.named(of);
        if named == "ID" {
            found.push(Place { path: path.to_owned(), noun: self.noun(root, name) });
        }
        for field in self.types[named]["inputFields"].as_array().into_iter().flatten() {
            let name = text(field, "name");
            self.places_below(root, &format!("{path}.{name}"), name, &field["type"], found);
        }
    }

    /// The noun that an identifier of this name stands for.
    fn noun(&self, root: &Root, name: &str) -> Option<String> {
        let lower = name.to_ascii_lowercase();
        let single = if lower.ends_with("ids") { &lower[..lower.len() - 1] } else { &lower };
        let fitting = NOUNS.iter().filter(|(ending, _)| single.ends_with(ending));
        if let Some((_, noun)) = fitting.max_by_key(|(ending, _)| ending.len()) {
            return Some((*noun).to_owned());
        }
        // Plain `id`, `ids` and `parentId` mean what the field gives.
        assert!(
            ["id", "parentid"].contains(&single),
            "{}: teach this guard which noun `{name}` names",
            root.name
        );
        let given = self.named(&root.field["type"]);
        let object = match given.strip_suffix("Payload") {
            Some(_) => {
                self.fields(given).map(|field| self.named(&field["type"])).find(|name| *name != "UserError")
            }
            None => Some(given.trim_end_matches("Connection")),
        };
        // Histories and `node` are asked for anything.
        // Of many items, what came of each.
        let object = object.map(|name| name.trim_end_matches("Outcome"));
        object.map(snake).filter(|noun| !["node", "event"].contains(&noun.as_str()))
    }

    /// Arguments of a root field: those it needs, and the optional ones that `wanted` asks for by path and type.
    pub fn arguments(
        &self,
        root: &Root,
        objects: &Objects,
        wanted: &dyn Fn(&str, &Value) -> bool,
    ) -> Map<String, Value> {
        let mut given = Map::new();
        for argument in root.field["args"].as_array().into_iter().flatten() {
            let name = text(argument, "name");
            if is_needed(argument) || wanted(name, &argument["type"]) {
                given.insert(name.to_owned(), self.value(root, name, &argument["type"], objects, wanted));
            }
        }
        given
    }

    fn value(
        &self,
        root: &Root,
        path: &str,
        of: &Value,
        objects: &Objects,
        wanted: &dyn Fn(&str, &Value) -> bool,
    ) -> Value {
        let name = path.rsplit('.').next().unwrap_or(path);
        match text(of, "kind") {
            "NON_NULL" => self.value(root, path, &of["ofType"], objects, wanted),
            "LIST" => json!([self.value(root, path, &of["ofType"], objects, wanted)]),
            "ENUM" => self.types[text(of, "name")]["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => {
                let of = &self.types[text(of, "name")];
                let fields = of["inputFields"].as_array().expect("fields");
                let below = |field: &Value| format!("{path}.{}", text(field, "name"));
                let chosen =
                    fields.iter().position(|field| wanted(&below(field), &field["type"])).unwrap_or(0);
                let given = fields.iter().enumerate().filter(|(index, field)| match of["isOneOf"] == true {
                    true => *index == chosen,
                    false => {
                        is_needed(field)
                            || ASKED.contains(&text(field, "name"))
                            || wanted(&below(field), &field["type"])
                    }
                });
                given
                    .map(|(_, field)| {
                        let value = self.value(root, &below(field), &field["type"], objects, wanted);
                        (text(field, "name").to_owned(), value)
                    })
                    .collect::<Map<_, _>>()
                    .into()
            }
            _ => match text(of, "name") {
                "ID" => json!(objects.id(self.noun(root, name).as_deref())),
                other => scalar(root, name, other),
            },
        }
    }

    /// A document that asks for one root field with these arguments as variables.
    pub fn document(&self, root: &Root, given: &Map<String, Value>, selection: &str) -> String {
        let (mut declared, mut passed) = (Vec::new(), Vec::new());
        for argument in root.field["args"].as_array().into_iter().flatten() {
            let name = text(argument, "name");
            if given.contains_key(name) {
                declared.push(format!("${name}: {}", written(&argument["type"])));
                passed.push(format!("{name}: ${name}"));
            }
        }
        let around = |parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) }
        };
        format!("{} {} {{ {}{} {selection} }}", root.operation, around(&declared), root.name, around(&passed))
    }

    /// Everything that can be asked of a type without arguments, `depth` objects deep; a list's items are as deep as the list.
    pub fn selection(&self, name: &str, depth: usize) -> String {
        match self.kind(name) {
            "SCALAR" | "ENUM" => String::new(),
            "UNION" => {
                let mut parts = vec!["__typename".to_owned()];
                for of in self.types[name]["possibleTypes"].as_array().into_iter().flatten() {
                    let of = text(of, "name");
                    // Two types may give one name another meaning.
                    let fields: Vec<String> = self
                        .parts(of, depth)
                        .iter()
                        .map(|part| format!("{of}_{}: {part}", word(part)))
                        .collect();
                    parts.push(format!("... on {of} {{ {} }}", fields.join(" ")));
                }
                format!("{{ {} }}", parts.join(" "))
            }
            "INTERFACE" => "{ __typename id }".to_owned(),
            _ => format!("{{ __typename {} }}", self.parts(name, depth).join(" ")),
        }
    }

    fn parts(&self, name: &str, depth: usize) -> Vec<String> {
        let names: BTreeSet<&str> = self.fields(name).map(|field| text(field, "name")).collect();
        let mut parts = Vec::new();
        for field in self.fields(name) {
            let of = self.named(&field["type"]);
            let is_list = of.ends_with("Edge") || of == "PageInfo";
            let is_plain = ["SCALAR", "ENUM"].contains(&self.kind(of));
            let is_asked = field["args"].as_array().into_iter().flatten().any(is_needed);
            // Edges hold the nodes already.
            let is_told_twice = text(field, "name") == "nodes" && names.contains("edges");
            let is_item = name.ends_with("Edge") && text(field, "name") == "node";
            if is_asked || is_told_twice || !(is_plain || is_list || is_item || depth > 0) {
                continue;
            }
            let below = if is_list || is_item { depth } else { depth.saturating_sub(1) };
            parts
                .push(format!("{} {}", text(field, "name"), self.selection(of, below)).trim_end().to_owned());
        }
        parts
    }
}

/// Puts an identifier in place of the one that stands at a path.
pub fn put(given: &mut Map<String, Value>, path: &str, id: &str) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let mut value = given.get_mut(first).unwrap_or_else(|| panic!("{path} was not given"));
    for name in rest.split('.').filter(|name| !name.is_empty()) {
        value = &mut item(value)[name];
    }
    *item(value) = json!(id);
}

fn item(value: &mut Value) -> &mut Value {
    if value.is_array() { item(&mut value[0]) } else { value }
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_else(|| panic!("no {key} in {of}"))
}

fn word(part: &str) -> &str {
    part.split(' ').next().unwrap_or(part)
}

fn is_needed(input: &Value) -> bool {
    input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null()
}

/// A type as documents write it.
fn written(of: &Value) -> String {
    match text(of, "kind") {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => text(of, "name").to_owned(),
    }
}

/// `RotationPlan` as nouns are written.
fn snake(name: &str) -> String {
    let mut noun = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !noun.is_empty() {
            noun.push('_');
        }
        noun.push(character.to_ascii_lowercase());
    }
    noun
}

fn scalar(root: &Root, name: &str, of: &str) -> Value {
    match of {
        "Int" => match name {
            "slotCount" => json!(12),
            "year" => json!(2026),
            _ => json!(1),
        },
        "Float" => json!(1.5),
        "Boolean" => json!(true),
        "Date" => json!("2026-02-02"),
        "YearMonth" => json!("2026-02"),
        "DateTime" => json!("2026-01-06T01:00:00Z"),
        "String" => json!(TEXTS.iter().find(|(of, _)| *of == name).map_or("某事", |(_, text)| *text)),
        other => panic!("{}: teach this guard to make up a {other} for {name}", root.name),
    }
}
