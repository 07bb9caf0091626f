//! The architecture guard: which room may use which, read from the sources themselves, and what no file may hold.

use std::path::{Path, PathBuf};

use crate::golden;

/// What must not stand in the files of a room, and why. Paths are beginnings or whole files; `except` are files with a reason.
struct Rule {
    room: &'static str,
    forbidden: &'static [&'static str],
    except: &'static [&'static str],
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        room: "api/src/domain/",
        forbidden: &["async_graphql"],
        // Two enums are derived there so that each code and kind is written once.
        except: &["api/src/domain/error.rs", "api/src/domain/event.rs"],
        because: "rules know nothing of GraphQL",
    },
    Rule {
        room: "api/src/domain/",
        forbidden: &[
            "actix_web",
            "actix_ws",
            "actix_cors",
            "crate::http",
            "crate::graphql",
            "crate::background",
            "crate::cli",
        ],
        except: &[],
        because: "rules know neither the door nor the hands",
    },
    Rule {
        room: "api/src/graphql/",
        forbidden: &["actix_web", "actix_ws", "crate::http", "crate::background", "crate::cli"],
        except: &[],
        because: "faces know nothing of the door or the hands",
    },
    Rule {
        room: "api/src/graphql/",
        forbidden: &[".begin()", ".commit(", ".insert(&", ".update(&", "ActiveModel"],
        except: &[],
        because: "a resolver never changes anything itself",
    },
    Rule {
        room: "api/src/background/",
        forbidden: &["async_graphql", "actix_web", "crate::graphql", "crate::http", "crate::cli"],
        except: &[],
        because: "hands act through the domain",
    },
    Rule {
        room: "api/src/http/",
        forbidden: &["Entity::", "ActiveModel", "QueryFilter", "crate::cli"],
        except: &[],
        because: "the door knows callers, not tables",
    },
    Rule {
        room: "api/src/messages/",
        forbidden: &["async_graphql", "actix_web", "sea_orm", "crate::graphql", "crate::http"],
        except: &[],
        because: "texts know codes only",
    },
    Rule {
        room: "entities/src/",
        forbidden: &[
            "async_graphql",
            "actix_web",
            "concord::",
            "concord_migration",
            ".filter(",
            ".all(",
            ".one(",
        ],
        except: &[],
        because: "nouns ask nothing and show nothing",
    },
    Rule {
        room: "migration/src/",
        forbidden: &["concord_entities", "concord::", "async_graphql"],
        except: &[],
        because: "history does not change when the nouns do",
    },
    Rule {
        room: "api/src/",
        forbidden: &["actix_files", "openssl", "native_tls"],
        except: &[],
        because: "banned libraries",
    },
    Rule {
        room: "",
        forbidden: &["#[ignore", "todo!(", "unimplemented!(", "dbg!("],
        except: &["tests/it/guard_architecture.rs"],
        because: "unfinished work is not committed",
    },
];

/// Marks of unfinished work, in any comment or text.
const UNFINISHED: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Most lines of a file that people write.
const LONGEST: usize = 700;

/// A source file: its path from the root, and its text.
struct Source {
    path: String,
    text: String,
}

/// The code of a line, without its comment.
fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// What is wrong with a file.
fn findings(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for rule in RULES.iter().filter(|rule| source.path.starts_with(rule.room)) {
        if rule.except.contains(&source.path.as_str()) {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            for word in rule.forbidden.iter().filter(|word| code(line).contains(**word)) {
                found.push(format!("{}:{}: `{word}`: {}", source.path, number + 1, rule.because));
            }
        }
    }
    if source.path != "tests/it/guard_architecture.rs" {
        for (number, line) in source.text.lines().enumerate() {
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                found.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    let is_place = source.path.ends_with("/mod.rs") || source.path.ends_with("/main.rs");
    let is_short_place = is_place && source.text.lines().count() < 20;
    if !source.text.starts_with("//!") && !is_short_place {
        found.push(format!("{}: no `//!` says what it is for", source.path));
    }
    if source.text.lines().count() > LONGEST && !source.path.starts_with("migration/") {
        found.push(format!("{}: longer than {LONGEST} lines", source.path));
    }
    found
}

/// Every source file of the workspace.
fn sources() -> Vec<Source> {
    let root = golden::root();
    let mut found = Vec::new();
    for room in ["api", "entities", "migration", "tests"] {
        walk(&root.join(room), &root, &mut found);
    }
    found
}

fn walk(folder: &Path, root: &Path, found: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, root, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let path = path.strip_prefix(root).expect("within the root").to_string_lossy().replace('\\', "/");
            found.push(Source { path, text });
        }
    }
}

#[test]
fn every_room_keeps_to_its_arrows() {
    let sources = sources();
    assert!(sources.len() > 100, "the sources were found");
    let found: Vec<String> = sources.iter().flat_map(findings).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_rule_bites() {
    let source =
        |path: &str, text: &str| Source { path: path.to_owned(), text: format!("//! A room.\n{text}\n") };
    for rule in RULES {
        let room = if rule.room.is_empty() { "api/src/" } else { rule.room };
        for word in rule.forbidden {
            let bad = source(&format!("{room}stray.rs"), &format!("    use_of({word}x);"));
            assert!(!findings(&bad).is_empty(), "{word} in {room}");
            let comment = source(&format!("{room}stray.rs"), &format!("    // It once used {word}x."));
            assert!(findings(&comment).is_empty(), "{word} in a comment in {room}");
        }
        for path in rule.except {
            assert!(golden::root().join(path).exists(), "an exception for a file that is gone: {path}");
        }
    }
    for word in UNFINISHED {
        assert!(!findings(&source("web/stray.rs", &format!("// {word}: later"))).is_empty(), "{word}");
    }
    let bare = Source { path: "api/src/stray.rs".to_owned(), text: "pub fn x() {}\n".to_owned() };
    assert_eq!(findings(&bare).len(), 1, "a file that does not say what it is for");
    assert!(!findings(&source("api/src/stray.rs", &"x\n".repeat(LONGEST))).is_empty(), "a long file");
    assert!(findings(&source("api/src/domain/fine.rs", "use crate::domain::Ctx;")).is_empty());
}

/// What each crate may not depend on.
const MANIFESTS: [(&str, &[&str]); 3] = [
    ("entities/Cargo.toml", &["async-graphql", "actix", "concord.workspace", "concord-migration"]),
    ("migration/Cargo.toml", &["concord-entities", "concord.workspace", "async-graphql"]),
    ("api/Cargo.toml", &["concord-tests", "actix-governor", "actix-files", "openssl", "native-tls"]),
];

fn forbidden_dependencies(manifest: &str, forbidden: &[&'static str]) -> Vec<&'static str> {
    let has = |word: &&&str| manifest.lines().any(|line| line.trim_start().starts_with(**word));
    forbidden.iter().filter(has).copied().collect()
}

#[test]
fn every_crate_depends_on_what_its_room_may_use() {
    for (path, forbidden) in MANIFESTS {
        let manifest = std::fs::read_to_string(golden::root().join(path)).expect("a manifest");
        assert_eq!(forbidden_dependencies(&manifest, forbidden), Vec::<&str>::new(), "{path}");
    }
    let stray = "[dependencies]\nconcord-entities.workspace = true\n";
    assert_eq!(forbidden_dependencies(stray, MANIFESTS[1].1), ["concord-entities"]);
}
