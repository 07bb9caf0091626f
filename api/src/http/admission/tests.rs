//! Every limit at its exact number and one beyond, and the bombs that the limits are for.

use std::fmt::Write;

use serde_json::json;

use super::*;

fn request(query: impl Into<String>) -> IncomingRequest {
    IncomingRequest { query: query.into(), ..IncomingRequest::default() }
}

fn with_variables(query: &str, variables: Json) -> IncomingRequest {
    let Json::Object(variables) = variables else { panic!("variables are an object") };
    IncomingRequest { variables, ..request(query) }
}

fn try_admit(request: &IncomingRequest) -> Result<Admitted, Refusal> {
    admit(request, &Limits::default(), &Documents::default())
}

fn code(request: &IncomingRequest) -> &'static str {
    try_admit(request).map_or_else(|refusal| refusal.code, |_| "admitted")
}

/// `make(limit)` is admitted and `make(limit + 1)` is refused with the code.
fn boundary(limit: usize, expected: DoorCode, make: impl Fn(usize) -> String) {
    assert_eq!(code(&request(make(limit))), "admitted", "exactly {limit}");
    assert_eq!(code(&request(make(limit + 1))), expected.as_str(), "one more than {limit}");
}

fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        text.push_str(&item(index));
        text.push(' ');
        text
    })
}

fn nested(levels: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn document_bytes() {
    boundary(64 * 1024, DoorCode::DocumentTooLarge, |bytes| format!("{{a}}#{}", "x".repeat(bytes - 4)));
}

#[test]
fn tokens() {
    boundary(2_000, DoorCode::TooManyTokens, |tokens| format!("{{ {} }}", many(tokens - 2, |_| "a".into())));
}

#[test]
fn selections_with_fragments_expanded() {
    // 49 spreads of 100 fields, and the rest beside them.
    boundary(5_000, DoorCode::TooManySelections, |selections| {
        let fields = many(100, |_| "a".into());
        let rest = many(selections - 4_900, |_| "__typename".into());
        format!("{{ {} {rest} }} fragment F on Q {{ {fields} }}", many(49, |_| "...F".into()))
    });
}

#[test]
fn selections_of_all_operations_together() {
    let document = |operations: usize| {
        let fields = many(100, |_| "a".into());
        let spreads = many(10, |_| "...F".into());
        let operations = many(operations, |index| format!("query Q{index} {{ {spreads} }}"));
        let query = format!("{operations} fragment F on Q {{ {fields} }}");
        IncomingRequest { operation_name: Some("Q0".into()), ..request(query) }
    };
    assert_eq!(code(&document(5)), "admitted");
    assert_eq!(code(&document(6)), "TOO_MANY_SELECTIONS");
}

#[test]
fn depth() {
    boundary(12, DoorCode::TooDeep, |depth| nested(depth - 1, "{a", "{a}", "}"));
    boundary(12, DoorCode::TooDeep, |depth| {
        format!("{{ a {{ ...F }} }} fragment F on Q {}", nested(depth - 2, "{a", "{a}", "}"))
    });
}

#[test]
fn depth_of_introspection() {
    boundary(15, DoorCode::IntrospectionTooDeep, |depth| {
        format!("{{__schema{}}}", nested(depth - 2, "{a", "{a}", "}"))
    });
    boundary(15, DoorCode::IntrospectionTooDeep, |depth| {
        format!("{{__type{}}}", nested(depth - 2, "{a", "{a}", "}"))
    });
    // Below another field it is no introspection.
    assert_eq!(code(&request(format!("{{a{{__schema{}}}}}", nested(11, "{a", "{a}", "}")))), "TOO_DEEP");
}

#[test]
fn nesting_of_brackets_and_of_fragments() {
    boundary(32, DoorCode::NestingTooDeep, |levels| {
        format!("{{a(b:{})}}", nested(levels - 2, "[", "1", "]"))
    });
    boundary(32, DoorCode::NestingTooDeep, |levels| format!("{{{}}}", nested(levels - 1, "...{", "a", "}")));
    boundary(32, DoorCode::NestingTooDeep, |levels| {
        let chain = many(levels - 2, |index| format!("fragment F{index} on Q {{ ...F{} }}", index + 1));
        format!("{{ ...F0 }} {chain} fragment F{} on Q {{ a }}", levels - 2)
    });
}

#[test]
fn aliases() {
    boundary(30, DoorCode::TooManyAliases, |aliases| {
        format!("{{ {} }}", many(aliases, |index| format!("a{index}: a")))
    });
}

#[test]
fn directives() {
    let directives = |count| many(count, |_| "@include(if: true)".into());
    for place in [
        "{ a # }",
        "query # { a }",
        "{ ... # { a } }",
        "{ ...F # } fragment F on Q { a }",
        "{ ...F } fragment F on Q # { a }",
    ] {
        boundary(5, DoorCode::TooManyFieldDirectives, |count| place.replace('#', &directives(count)));
    }
    boundary(5, DoorCode::TooManyFieldDirectives, |count| {
        format!("query($a: Int {}) {{ a }}", directives(count))
    });
    boundary(50, DoorCode::TooManyDirectives, |count| {
        format!(
            "{{ {} {} }}",
            many(10, |_| format!("a {}", directives(4))),
            many(count - 40, |_| "a @x".into())
        )
    });
}

#[test]
fn fragments() {
    boundary(50, DoorCode::TooManyFragments, |count| {
        format!(
            "{{ {} }} {}",
            many(count, |i| format!("...F{i}")),
            many(count, |i| format!("fragment F{i} on Q {{ a }}"))
        )
    });
}

#[test]
fn variables() {
    boundary(100, DoorCode::TooManyVariables, |count| {
        format!("query({}) {{ a }}", many(count, |index| format!("$v{index}: Int")))
    });
    let given = |count: usize| {
        let given: Map<String, Json> = (0..count).map(|index| (format!("v{index}"), json!(1))).collect();
        with_variables("{ a }", Json::Object(given))
    };
    assert_eq!(code(&given(100)), "admitted");
    assert_eq!(code(&given(101)), "TOO_MANY_VARIABLES");
}

#[test]
fn list_literals() {
    let list = |count| format!("[{}]", many(count, |_| "1".into()));
    boundary(200, DoorCode::ListTooLong, |count| format!("{{ a(b: {}) }}", list(count)));
    boundary(200, DoorCode::ListTooLong, |count| format!("{{ a(b: {{ c: [{}] }}) }}", list(count)));
    boundary(200, DoorCode::ListTooLong, |count| format!("{{ a @x(b: {}) }}", list(count)));
    boundary(200, DoorCode::ListTooLong, |count| format!("query($v: [Int] = {}) {{ a }}", list(count)));
}

#[test]
fn nodes_along_a_path() {
    boundary(100, DoorCode::TooManyNodes, |size| {
        format!("{{ a(first: 100) {{ nodes {{ b(last: {size}) {{ id }} }} }} }}")
    });
    // Without a size a connection counts 20: 5 times 20 times 100 is the limit.
    boundary(5, DoorCode::TooManyNodes, |size| {
        format!(
            "{{ a(first: {size}) {{ nodes {{ b {{ ...E }} }} }} }} fragment E on C {{ edges {{ node {{ c(first: 100) {{ id }} }} }} }}"
        )
    });
    let query = "query($n: Int = 101) { a(first: 100) { nodes { b(first: $n) { id } } } }";
    assert_eq!(code(&with_variables(query, json!({ "n": 100 }))), "admitted");
    assert_eq!(code(&with_variables(query, json!({ "n": 101 }))), "TOO_MANY_NODES");
    assert_eq!(code(&request(query)), "TOO_MANY_NODES");
    assert_eq!(
        code(&request(
            "{ a(first: 9223372036854775807) { nodes { b(first: 9223372036854775807) { id } } } }"
        )),
        "TOO_MANY_NODES"
    );
    // Beside each other they cost, but they do not multiply.
    assert_eq!(
        code(&request("{ a(first: 100) { nodes { b(first: 100) { id } c(first: 100) { id } } } }")),
        "admitted"
    );
}

#[test]
fn cost_counts_selections_and_nodes() {
    let cost = |query: &str| try_admit(&request(query)).unwrap().cost;
    assert_eq!(cost("{ a }"), 1);
    assert_eq!(cost(&format!("{{ {} }}", many(100, |_| "a".into()))), 10);
    assert_eq!(cost("{ a(first: 100) { nodes { id } } }"), 1);
    assert_eq!(cost("{ a(first: 100) { nodes { b(first: 10) { id } } } }"), 11);
}

#[test]
fn fragment_cycles() {
    for query in [
        "{ ...A } fragment A on Q { ...A }",
        "{ ...A } fragment A on Q { a { ...B } } fragment B on Q { ... { ...A } }",
        "{ a } fragment A on Q { ...B } fragment B on Q { ...A }",
    ] {
        assert_eq!(code(&request(query)), "FRAGMENT_CYCLE", "{query}");
    }
}

#[test]
fn what_is_not_graphql_is_told_so() {
    for query in [
        "",
        "{",
        "{ a ",
        "query { }",
        "nonsense",
        "{ a(b: \"x) }",
        "{ a } { b }",
        "query A { a } query A { a }",
    ] {
        assert_eq!(code(&request(query)), "GRAPHQL_PARSE_FAILED", "{query}");
    }
}

#[test]
fn the_operation_is_chosen_by_name() {
    let two = "query A { a } mutation B { b }";
    let named =
        |query: &str, name: &str| IncomingRequest { operation_name: Some(name.into()), ..request(query) };
    assert_eq!(code(&request(two)), "OPERATION_NAME_REQUIRED");
    assert_eq!(code(&named(two, "C")), "OPERATION_NOT_FOUND");
    assert_eq!(code(&named("{ a }", "C")), "OPERATION_NOT_FOUND");
    let admitted = try_admit(&named(two, "B")).unwrap();
    assert_eq!((admitted.kind, admitted.operation_name.as_deref()), (OperationType::Mutation, Some("B")));
    assert_eq!(try_admit(&request("query A { a }")).unwrap().operation_name.as_deref(), Some("A"));
    let admitted = try_admit(&request("{ ...F ... { c } } fragment F on Q { a b }")).unwrap();
    assert_eq!(admitted.root_fields, ["a", "b", "c"].map(Name::new));
}

#[test]
fn built_in_scalars_are_checked() {
    let refused = [
        ("Int!", json!({})),
        ("Int!", json!({ "v": null })),
        ("Int", json!({ "v": "1" })),
        ("Int", json!({ "v": 1.5 })),
        ("Int", json!({ "v": 2_147_483_648_i64 })),
        ("String", json!({ "v": 1 })),
        ("Boolean", json!({ "v": "true" })),
        ("ID", json!({ "v": true })),
        ("[Int!]", json!({ "v": [1, null] })),
        ("[Int]!", json!({ "v": null })),
        ("[[Int]]", json!({ "v": [["x"]] })),
    ];
    let admitted = [
        ("Int", json!({})),
        ("Int", json!({ "v": null })),
        ("Int! = 1", json!({})),
        ("Float", json!({ "v": 1 })),
        ("ID!", json!({ "v": 1 })),
        ("[Int!]", json!({ "v": 1 })),
        ("[Int]", json!({ "v": [1, null] })),
        ("Date!", json!({ "v": { "anything": [] } })),
    ];
    for (expected, given) in refused {
        assert_eq!(
            code(&with_variables(&format!("query($v: {expected}) {{ a(b: $v) }}"), given)),
            "BAD_USER_INPUT",
            "{expected}"
        );
    }
    for (expected, given) in admitted {
        assert_eq!(
            code(&with_variables(&format!("query($v: {expected}) {{ a(b: $v) }}"), given)),
            "admitted",
            "{expected}"
        );
    }
}

#[test]
fn an_idempotency_key_names_one_mutation() {
    let keyed =
        |query: &str, key: &str| IncomingRequest { idempotency_key: Some(key.into()), ..request(query) };
    assert_eq!(code(&keyed("mutation { a }", "k")), "admitted");
    assert_eq!(code(&keyed("mutation { __typename a }", "k")), "admitted");
    for query in
        ["{ a }", "subscription { a }", "mutation { a b }", "mutation { a ...F } fragment F on M { a }"]
    {
        assert_eq!(code(&keyed(query, "k")), "IDEMPOTENCY_NEEDS_ONE_MUTATION", "{query}");
    }
    assert_eq!(code(&keyed("mutation { a }", &"k".repeat(255))), "admitted");
    for key in ["", "a b", "ключ", "a\u{7f}", &"k".repeat(256)] {
        assert_eq!(code(&keyed("mutation { a }", key)), "IDEMPOTENCY_KEY_INVALID", "{key}");
    }
    let mut both = keyed("mutation { a }", "k");
    both.extensions.insert("idempotencyKey".into(), json!("k"));
    assert_eq!(try_admit(&both).unwrap().idempotency.unwrap().key, "k");
    both.extensions.insert("idempotencyKey".into(), json!("other"));
    assert_eq!(code(&both), "IDEMPOTENCY_KEY_INVALID");
    both.idempotency_key = None;
    assert_eq!(try_admit(&both).unwrap().idempotency.unwrap().key, "other");
    both.extensions.insert("idempotencyKey".into(), json!(1));
    assert_eq!(code(&both), "IDEMPOTENCY_KEY_INVALID");
}

#[test]
fn the_digest_sees_meaning_and_not_layout() {
    let digest = |query: &str, variables: &str| {
        let variables = serde_json::from_str(variables).unwrap();
        let request =
            IncomingRequest { idempotency_key: Some("k".into()), ..with_variables(query, variables) };
        try_admit(&request).unwrap().idempotency.unwrap().digest
    };
    let query = "mutation A($v: V, $w: V) { a(v: $v, w: $w) }";
    let variables = r#"{"v":{"x":1,"y":[1,2]},"w":"é"}"#;
    let known = digest(query, variables);
    assert_eq!(digest("mutation A($v:V $w:V) { # layout\n a(v:$v w:$w) }", variables), known);
    assert_eq!(digest(query, r#"{ "w": "\u00e9", "v": { "y": [1, 2], "x": 1 } }"#), known);
    assert_ne!(digest(query, r#"{"v":{"x":1,"y":[2,1]},"w":"é"}"#), known);
    assert_ne!(digest(query, r#"{"v":{"x":"1","y":[1,2]},"w":"é"}"#), known);
    assert_ne!(digest("mutation B($v: V, $w: V) { a(v: $v, w: $w) }", variables), known);
}

#[test]
fn a_document_is_parsed_once() {
    let documents = Documents::default();
    let first = admit(&request("{ a }"), &Limits::default(), &documents).unwrap();
    let second = admit(&request("{ a }"), &Limits::default(), &documents).unwrap();
    assert!(Arc::ptr_eq(&first.document, &second.document));
}

fn bombs() -> Vec<(&'static str, String, Option<&'static str>)> {
    let doubling = |last: &str| {
        let chain = many(29, |index| format!("fragment F{index} on Q {{ ...F{0} ...F{0} }}", index + 1));
        format!("{{ ...F0 }} {chain} fragment F29 on Q {{ {last} }}")
    };
    let wide = many(49, |index| {
        let target = index + 1;
        format!("fragment F{index} on Q {{ a {{ {} }} }}", many(12, |_| format!("...F{target}")))
    });
    let mut comments = String::from("{ a");
    for _ in 0..10_000 {
        let _ = write!(comments, " #\n#x\n");
    }
    vec![
        ("fragments 2^30", doubling("a"), None),
        ("fragments 2^30 of nothing", doubling("...None"), None),
        ("fragments 12^49", format!("{{ ...F0 }} {wide} fragment F49 on Q {{ a }}"), None),
        (
            "20k aliases",
            format!("{{ {} }}", many(6_000, |index| format!("a{index}: a"))),
            Some("TOO_MANY_TOKENS"),
        ),
        (
            "20k long aliases",
            format!("{{ {} }}", many(20_000, |index| format!("a{index}: a"))),
            Some("DOCUMENT_TOO_LARGE"),
        ),
        ("100k duplicate fields", format!("{{ {} }}", "a ".repeat(100_000)), Some("DOCUMENT_TOO_LARGE")),
        ("30k duplicate fields", format!("{{ {} }}", "a ".repeat(30_000)), Some("TOO_MANY_TOKENS")),
        ("10k directives", format!("{{ a {} }}", "@x ".repeat(10_000)), Some("TOO_MANY_TOKENS")),
        ("deep lists", format!("{{ a(b: {}) }}", nested(30_000, "[", "", "]")), Some("NESTING_TOO_DEEP")),
        (
            "deep objects",
            format!("{{ a(b: {}) }}", nested(15_000, "{a:", "1", "}")),
            Some("NESTING_TOO_DEEP"),
        ),
        ("deep selections", nested(20_000, "{a", "", "}"), Some("NESTING_TOO_DEEP")),
        (
            "deep types",
            format!("query($a: {}Int{}) {{ a }}", "[".repeat(30_000), "]".repeat(30_000)),
            Some("NESTING_TOO_DEEP"),
        ),
        (
            "20k variables",
            format!("query({}) {{ a }}", many(5_000, |i| format!("$v{i}:Int"))),
            Some("TOO_MANY_TOKENS"),
        ),
        (
            "unclosed block string",
            format!("{{ a(b: [\"\"\"x\" {}]) }}", "a ".repeat(30_000)),
            Some("GRAPHQL_PARSE_FAILED"),
        ),
        ("numbers in one word", format!("{{ a(b: [{}]) }}", "-1".repeat(30_000)), Some("TOO_MANY_TOKENS")),
        ("words in one word", format!("{{ a(b: [{}]) }}", "null".repeat(16_000)), None),
        ("comments", comments, Some("GRAPHQL_PARSE_FAILED")),
        ("commas", format!("{{ a{} }}", ",".repeat(60_000)), Some("admitted")),
        ("long string", format!("{{ a(b: \"{}\") }}", "\\u0041".repeat(10_000)), Some("admitted")),
        ("open brackets", "{".repeat(60_000), Some("NESTING_TOO_DEEP")),
        ("brackets open in turn", "{a(b:[{c:".repeat(6), Some("GRAPHQL_PARSE_FAILED")),
    ]
}

#[test]
fn bombs_are_defused() {
    // Whatever expanded the doubling ones would not come to an end.
    for (name, query, expected) in bombs() {
        let found = code(&request(query));
        if let Some(expected) = expected {
            assert_eq!(found, expected, "{name}");
        } else {
            assert_ne!(found, "admitted", "{name}");
        }
    }
}

#[test]
fn no_text_reaches_what_the_cache_made_of_another() {
    let documents = Documents::default();
    let text = "query($n: Int) { list(first: $n) }";
    let admitted = admit(&request(text), &Limits::default(), &documents).expect("it is admitted");
    assert!(
        admitted.document.document.operations.iter().all(|(_, one)| one.node.variable_definitions.is_empty())
    );
    let forged = admit(&request(format!("{text}\0n")), &Limits::default(), &documents);
    assert_eq!(forged.expect_err("it is refused").code, DoorCode::ParseFailed.as_str());
    // Given, the variable is there again.
    let given =
        IncomingRequest { variables: [("n".to_owned(), json!(1))].into_iter().collect(), ..request(text) };
    let admitted = admit(&given, &Limits::default(), &documents).expect("it is admitted");
    assert!(
        admitted.document.document.operations.iter().all(|(_, one)| one.node.variable_definitions.len() == 1)
    );
}
