//! The product's own command line in a program of this package, so that cargo builds it with the tests that run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    concord::cli::run()
}
