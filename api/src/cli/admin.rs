//! `concord admin create`: the first account, a platform administrator, made where the database is.

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand};

use super::{Failure, Outcome, build, explain};
use crate::{
    config::Config,
    domain::{
        Ctx,
        identity::{
            account::{self, NewAccount},
            session,
        },
    },
};

#[derive(Subcommand)]
pub enum Admin {
    /// Make a platform administrator; the password is the first line of standard input
    Create(Create),
}

#[derive(Args)]
pub struct Create {
    /// Sign-in name
    #[arg(long)]
    username: String,
    /// Name shown to colleagues; the sign-in name by default
    #[arg(long)]
    display_name: Option<String>,
}

pub async fn run(config: Config, command: Admin) -> Outcome {
    let Admin::Create(create) = command;
    let password = password()?;
    let app = build(config, true).await?;
    let ctx = Ctx::system(&app);
    let hash = session::hash_new(&app, &create.username, &password, "password").await.map_err(explain)?;
    let made = account::create(
        &ctx,
        NewAccount {
            display_name: create.display_name.unwrap_or_else(|| create.username.clone()),
            username: create.username,
            phone: None,
            password_hash: Some(hash),
            is_platform_admin: true,
        },
    )
    .await
    .map_err(explain)?;
    eprintln!("concord: {} is a platform administrator", made.username);
    Ok(())
}

/// Reads the password from standard input: never from the command line, where other users see it.
fn password() -> Result<String, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprint!("password (shown as you type; pipe it in to avoid that): ");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        Err(Failure::usage("give the password on standard input"))
    } else {
        Ok(password)
    }
}
