//! Brings what `make web` made to where the binary embeds it from, and nothing where it was not run: GraphiQL's page, and the
//! font that certificates are printed in. Runs neither Node nor npm and fetches nothing.

use std::{env, fs, io, path::Path};

const PAGE: &str = "../web/dist";
const FONT: &str = "../web/font";
const FONT_FILE: &str = "NotoSansSC-Regular.ttf";

fn main() -> io::Result<()> {
    // A watched path that does not exist counts as changed on every build. On a read-only source tree that costs a
    // rebuild and nothing else, so a failure here is no failure of the build.
    for (path, what) in [(PAGE, "GraphiQL"), (FONT, "the font of certificates")] {
        if fs::create_dir_all(Path::new(path)).is_err() {
            println!("cargo::warning={path} cannot be created; {what} is left out");
        }
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let font = fs::read(Path::new(FONT).join(FONT_FILE)).unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "cargo tells the place by it")]
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join(FONT_FILE), font)
}
