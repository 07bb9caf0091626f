//! `concord keys rotate|retire|list`: the signing keys, which live in the data folder and never in the database.

use clap::Subcommand;

use super::{Failure, Outcome};
use crate::{
    app::{SystemClock, system_random},
    config::Config,
    domain::{
        context::Clock,
        identity::{parts, signing::Algorithm},
    },
};

#[derive(Subcommand)]
pub enum Keys {
    /// Make a new signing key; what older ones signed stays valid
    Rotate,
    /// Stop accepting what a key signed, from now on
    Retire {
        /// Identifier of the key, as `keys list` shows it
        // Identifiers are base64url and may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Show the keys
    List,
}

pub fn run(config: &Config, command: Keys) -> Outcome {
    super::make_folder(&config.data.directory)?;
    let (now, random) = (SystemClock.now(), system_random());
    match command {
        Keys::Rotate => {
            let kid = parts::rotate_keys(config, now, &random, Algorithm::EdDsa).map_err(Failure::wrong)?;
            eprintln!("concord: {kid} signs from now on");
        }
        Keys::Retire { kid } => {
            parts::ring(config, now, &random)
                .and_then(|ring| ring.retire(&kid, now))
                .map_err(Failure::wrong)?;
            eprintln!("concord: {kid} is retired");
        }
        Keys::List => {
            let ring = parts::ring(config, now, &random).map_err(Failure::wrong)?;
            let active = ring.active();
            for key in ring.list() {
                let state = match key.retired_at {
                    Some(at) => format!("retired {at}"),
                    None if key.kid == active => "signs".to_owned(),
                    None => "verifies".to_owned(),
                };
                eprintln!("{}  made {}  {state}", key.kid, key.created_at);
            }
        }
    }
    Ok(())
}
