//! `concord schema`: the schema as clients' tools read it.

use super::Outcome;
use crate::graphql;

pub fn run() -> Outcome {
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    {
        print!("{}", graphql::sdl());
    }
    Ok(())
}
