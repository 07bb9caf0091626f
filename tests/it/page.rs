//! The pages of the repository: their fenced blocks, and who runs each; every link, every command.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use concord_tests::process::root;
use serde_json::{Value, json};

pub const README: &str = "README.md";
pub const README_ZH: &str = "README.zh-CN.md";
pub const OPERATING: &str = "docs/operating.md";
pub const WALKTHROUGH: &str = "docs/walkthrough.md";
pub const WHISTLES: &str = "docs/whistles.md";
pub const GRIDS: &str = "docs/grids.md";
pub const BRANCHES: &str = "docs/branches.md";
pub const MOBILIZATIONS: &str = "docs/mobilizations.md";
pub const END_OF_MONTH: &str = "docs/month/end-of-month.md";

/// Who runs a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// `walkthrough.rs`, block by block.
    Walkthrough,
    /// `whistle_page.rs`, block by block.
    Whistles,
    /// `grid_page.rs`, block by block.
    Grids,
    /// `branch_page.rs`, block by block.
    Branches,
    /// `import_grids.rs`: a file of cells.
    GridFile,
    /// `mobilization_page.rs`, block by block.
    Mobilizations,
    /// `bulk.rs`, with problems and units in their places.
    Bulk,
    /// `demo_city.rs`, against the served demo of a city.
    City,
    /// This file: targets of the Makefile.
    Make,
    /// `demo.rs`, against the served demo.
    FirstQuery,
    /// `commands.rs`: an installation from nothing to a served one.
    Installation,
    /// `commands.rs`: the commands of an operator, on the installed data.
    Operator,
    /// `commands.rs`: the settings that stand in the environment.
    Settings,
    /// Nobody.
    Exempt,
}

/// Which blocks are run by whom: a page, how a block begins, its runner. What is exempt says why.
const RUNNERS: &[(&str, &str, Runner)] = &[
    (WALKTHROUGH, "", Runner::Walkthrough),
    (WHISTLES, "", Runner::Whistles),
    (GRIDS, "网络,", Runner::GridFile),
    (GRIDS, "concord import grids ", Runner::GridFile),
    (GRIDS, "", Runner::Grids),
    (BRANCHES, "", Runner::Branches),
    (MOBILIZATIONS, "concord demo --story city", Runner::City),
    (MOBILIZATIONS, "of() { sed ", Runner::City),
    (MOBILIZATIONS, "", Runner::Mobilizations),
    (END_OF_MONTH, "mutation {\n  assignProblems", Runner::Bulk),
    (README, "make ", Runner::Make),
    (README, "token=$(curl ", Runner::FirstQuery),
    (README, "concord migrate ", Runner::Installation),
    (README_ZH, "make ", Runner::Make),
    (README_ZH, "token=$(curl ", Runner::FirstQuery),
    (OPERATING, "concord_run() {", Runner::Operator),
    (OPERATING, "concord_run backup ", Runner::Operator),
    (OPERATING, "sudo install -d -m 700 restored ", Runner::Operator),
    (OPERATING, "sudo install -d -m 755 /var/backups/checkpoints", Runner::Operator),
    (OPERATING, "CONCORD__", Runner::Settings),
    // Builds for release and installs for the whole machine, under systemd.
    (OPERATING, "make web ", Runner::Exempt),
    // Needs the superuser of a PostgreSQL server that belongs to somebody.
    (OPERATING, "sudo -u postgres createuser ", Runner::Exempt),
    // Needs root and nginx.
    (OPERATING, "sudo install -m 644 deploy/nginx.conf ", Runner::Exempt),
    // A file of Prometheus.
    (OPERATING, "scrape_configs:", Runner::Exempt),
    // A file of PostgreSQL; `tests/faults` runs a cluster that is set so.
    ("docs/reliability.md", "synchronous_standby_names", Runner::Exempt),
];

/// A fenced block, and the JSON that is shown below it.
pub struct Block {
    pub line: usize,
    pub language: String,
    pub text: String,
    pub shown: Option<Value>,
}

impl Block {
    /// The directives in the comments on top: a word and what follows it.
    pub fn directives(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text
            .lines()
            .map_while(|line| line.strip_prefix("# "))
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
    }

    pub fn directive(&self, word: &str) -> Option<&str> {
        self.directives().find(|(found, _)| *found == word).map(|(_, rest)| rest)
    }

    /// The block without the comments at the end of its lines, which may differ by language.
    fn bare(&self) -> Vec<&str> {
        self.text.lines().map(|line| line.split("  #").next().unwrap_or(line).trim_end()).collect()
    }
}

/// The text of a page.
pub fn read(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The blocks of a page that a runner runs.
pub fn blocks_of(page: &str, runner: Runner) -> Vec<Block> {
    let mut blocks = blocks(&read(page));
    blocks.retain(|block| recognise(page, block) == Some(runner));
    assert!(!blocks.is_empty(), "{page} has no block for {runner:?}");
    blocks
}

fn recognise(page: &str, block: &Block) -> Option<Runner> {
    let found = RUNNERS.iter().find(|(of, begins, _)| *of == page && block.text.starts_with(begins));
    found.map(|(_, _, runner)| *runner)
}

pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block { line, language: language.to_owned(), text: String::new(), shown: None });
            }
            (Some(_), Some(_)) => {
                let block = open.take().expect("it is open");
                if block.language == "json" {
                    let shown = serde_json::from_str(&block.text);
                    let above =
                        blocks.last_mut().unwrap_or_else(|| panic!("line {line}: JSON below nothing"));
                    assert!(above.shown.is_none(), "line {line}: two answers to one block");
                    above.shown = Some(shown.unwrap_or_else(|error| panic!("line {line}: {error}")));
                } else {
                    blocks.push(block);
                }
            }
            (Some(block), None) => {
                block.text.push_str(text);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Whether `found` is what the page shows: every field shown is there, `…` stands for any text.
pub fn fits(shown: &Value, found: &Value) -> bool {
    match (shown, found) {
        (Value::Object(shown), Value::Object(found)) => {
            shown.iter().all(|(name, shown)| found.get(name).is_some_and(|found| fits(shown, found)))
        }
        (Value::Array(shown), Value::Array(found)) => {
            shown.len() == found.len() && shown.iter().zip(found).all(|(shown, found)| fits(shown, found))
        }
        (Value::String(shown), found) if shown == "…" => !found.is_null(),
        (Value::String(shown), Value::String(found)) => match shown.split_once('…') {
            Some((head, tail)) => found.starts_with(head) && found.ends_with(tail),
            None => shown == found,
        },
        (shown, found) => shown == found,
    }
}

/// Every page of the repository: those at its root, those of `docs` and those of the month.
pub fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", "docs/", "docs/month/"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                pages.push(format!("{folder}{name}"));
            }
        }
    }
    pages.sort();
    assert!(pages.len() >= 12 && pages.iter().any(|page| page == END_OF_MONTH), "{pages:?}");
    pages
}

#[test]
fn every_block_of_every_page_has_its_runner() {
    let mut unused: BTreeSet<_> = RUNNERS.iter().map(|(page, begins, _)| (*page, *begins)).collect();
    for page in pages() {
        for block in blocks(&read(&page)) {
            let runner = recognise(&page, &block);
            assert!(runner.is_some(), "{page}:{}: nobody runs this block:\n{}", block.line, block.text);
            unused.retain(|(of, begins)| *of != page || !block.text.starts_with(begins));
        }
    }
    assert!(unused.is_empty(), "no block begins so: {unused:?}");
    let unknown = &blocks("```sh\nmake coffee\n```\n")[0];
    assert_eq!(recognise(OPERATING, unknown), None);
}

#[test]
fn the_targets_of_make_are_there_and_the_chinese_page_says_the_same() {
    for page in [README, README_ZH] {
        for block in blocks_of(page, Runner::Make) {
            for line in block.bare() {
                let target = line.strip_prefix("make ").unwrap_or_else(|| panic!("{page}: {line}"));
                // What it would run, without running it.
                let mut make = std::process::Command::new("make");
                let output = make.args(["-n", target]).current_dir(root()).output().expect("make runs");
                assert!(output.status.success(), "{page}: {line}: {output:?}");
            }
        }
    }
    let (english, chinese) = (blocks(&read(README)), blocks(&read(README_ZH)));
    for block in &chinese {
        assert!(
            english.iter().any(|other| other.bare() == block.bare()),
            "{README_ZH}:{}: {README} has no such block",
            block.line
        );
    }
}

/// The heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// The targets of the links of a page.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let text = read(&page);
        for link in links(&text) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(&page).parent().expect("a folder");
            let target: PathBuf = if path.is_empty() { PathBuf::from(&page) } else { folder.join(path) };
            assert!(root().join(&target).exists(), "{page}: {link} leads nowhere");
            if !heading.is_empty() {
                let there = read(target.to_str().expect("a path"));
                let found = there.lines().any(|line| line.starts_with('#') && anchor(line) == heading);
                assert!(found, "{page}: {link}: no such heading");
            }
            followed += 1;
        }
        // Files that the text names between backticks, from the root of the checkout.
        for named in text.split('`').skip(1).step_by(2) {
            let is_file = ["deploy/", "docs/", "scripts/", "tests/", "api/src/", "bench/"]
                .iter()
                .any(|folder| named.starts_with(folder));
            let plain = named.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
            assert!(!is_file || !plain || root().join(named).exists(), "{page}: {named} is not there");
        }
    }
    assert!(followed > 10, "{followed}");
    assert_eq!(anchor("## 4. Watching it"), "4-watching-it");
    assert!(links(&read(README)).contains(&WALKTHROUGH));
}

#[test]
fn what_the_page_of_a_month_names_is_in_the_schema() {
    let schema = std::fs::read_to_string(root().join("schema.graphql")).expect("the schema");
    let is_named = |name: &str| {
        let follows = |line: &str| {
            line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', ':']))
        };
        schema.lines().any(follows)
    };
    let page = read("docs/month.md");
    let spans = page.split('`').skip(1).step_by(2).filter(|span| !span.contains('/'));
    let names: BTreeSet<_> = spans.map(|span| span.split('(').next().unwrap_or_default()).collect();
    for name in &names {
        assert!(is_named(name), "{name} is not in the schema");
    }
    for needed in ["verifyProblem", "strikeOffProblem", "completePriorityTask", "assignHandoverItem"] {
        assert!(names.contains(needed), "{needed} is missing");
    }
    assert!(!is_named("washProblem"));
}

#[test]
fn what_is_not_shown_does_not_fit() {
    let shown = json!({ "a": [{ "state": "DONE" }], "n": "西海销〔…〕0001号", "id": "…" });
    let found =
        |state: &str, number: &str| json!({ "a": [{ "state": state, "more": 1 }], "n": number, "id": "x" });
    assert!(fits(&shown, &found("DONE", "西海销〔2026〕0001号")));
    assert!(!fits(&shown, &found("OPEN", "西海销〔2026〕0001号")));
    assert!(!fits(&shown, &found("DONE", "西海销〔2026〕0002号")));
    assert!(!fits(&shown, &json!({ "a": [], "n": "西海销〔2026〕0001号", "id": "x" })));
    assert!(!fits(&shown, &json!({ "a": [{ "state": "DONE" }], "n": "西海销〔2026〕0001号", "id": null })));
    assert_eq!(blocks("```sh\nx\n```\n\n```graphql\ny\n```\n```json\n{}\n```\n").len(), 2);
}
