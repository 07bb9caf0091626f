//! Golden files: what the product says about itself, kept in the repository so that a change is a line of a diff.
//! `CONCORD_BLESS=1` writes them anew.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether golden files are to be written anew.
pub fn is_blessing() -> bool {
    std::env::var_os("CONCORD_BLESS").is_some()
}

/// Compares with `tests/golden/<name>`, or writes it.
pub fn check(name: &str, found: &str) {
    check_at(&root().join("tests/golden").join(name), found);
}

/// Compares with the file at `path`, or writes it.
pub fn check_at(path: &Path, found: &str) {
    if is_blessing() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, found).expect("the golden file is written");
        return;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if let Err(difference) = same(&kept, found) {
        panic!(
            "{} is out of date:\n{difference}\nIf this is meant: CONCORD_BLESS=1 cargo test",
            path.display()
        );
    }
}

/// The first lines that differ.
pub fn same(kept: &str, found: &str) -> Result<(), String> {
    if kept == found {
        return Ok(());
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (kept, found) = (lines(kept), lines(found));
    let gone = kept.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let new = found.iter().filter(|line| !kept.contains(line)).map(|line| format!("+ {line}"));
    let changed: Vec<String> = gone.chain(new).take(40).collect();
    Err(if changed.is_empty() { "the order of the lines".to_owned() } else { changed.join("\n") })
}
