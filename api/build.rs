//! Makes sure that the folder of GraphiQL's built page exists, so that the binary embeds the page when `make web` has
//! built it and still builds when it has not. Runs neither Node nor npm and fetches nothing.

use std::{fs, path::Path};

const PAGE: &str = "../web/dist";

fn main() {
    // A watched path that does not exist counts as changed on every build. On a read-only source tree that costs a
    // rebuild and nothing else, so a failure here is no failure of the build.
    if fs::create_dir_all(Path::new(PAGE)).is_err() {
        println!("cargo::warning={PAGE} cannot be created; GraphiQL is left out");
    }
    println!("cargo::rerun-if-changed={PAGE}");
    println!("cargo::rerun-if-changed=build.rs");
}
