//! PostgreSQL's own tools: `pg_dump` takes the copy, `pg_restore` puts it back. The password travels in the environment,
//! never on a command line that other users see.

use std::{io::ErrorKind, path::Path, process::Command};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, DbErr, Statement};
use url::Url;

use super::{super::Outcome, Failure, Taken};
use crate::{config::Secret, domain::App};

/// Dumps the database as one snapshot sees it, and reads what else has to be copied from the same snapshot.
pub(super) async fn take(app: &App, into: &Path) -> Result<Taken, Failure> {
    let url = app.config.database_url();
    let mut options = ConnectOptions::new(url.reveal());
    // The snapshot lives as long as the transaction of this one connection.
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.map_err(Failure::wrong)?;
    let failed = |error: DbErr| Failure::wrong(format!("the snapshot: {error}"));
    db.execute_unprepared("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
    let ask = Statement::from_string(DbBackend::Postgres, "SELECT pg_export_snapshot()");
    let row = db.query_one_raw(ask).await.map_err(failed)?;
    let snapshot: String =
        row.ok_or_else(|| Failure::wrong("no snapshot"))?.try_get_by_index(0).map_err(failed)?;
    let taken = Taken::read(&db).await?;
    let mut dump = tool("pg_dump", &url)?;
    dump.args(["--format=custom", "--no-owner", "--no-privileges"]);
    dump.arg(format!("--snapshot={snapshot}")).arg("--file").arg(into);
    finish(dump, "pg_dump").await?;
    db.close().await.map_err(failed)?;
    Ok(taken)
}

/// Fills an empty database, whole or not at all.
pub(super) async fn put_back(url: &Secret, from: &Path) -> Outcome {
    let mut restore = tool("pg_restore", url)?;
    restore.args(["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]).arg(from);
    finish(restore, "pg_restore").await
}

fn tool(name: &str, url: &Secret) -> Result<Command, Failure> {
    let mut url = Url::parse(url.reveal()).map_err(|error| Failure::usage(format!("the URL: {error}")))?;
    let mut command = Command::new(name);
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", decoded(password));
        // Every URL with a host takes a password, so it can be taken away too.
        let _ = url.set_password(None);
    }
    command.arg("--no-password").arg(format!("--dbname={url}"));
    Ok(command)
}

/// The password as it was before it was put into a URL.
fn decoded(text: &str) -> String {
    let pair = format!("p={text}").replace('+', "%2B");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

async fn finish(mut command: Command, name: &'static str) -> Outcome {
    let ended = tokio::task::spawn_blocking(move || command.output()).await.map_err(Failure::wrong)?;
    match ended {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(Failure::wrong(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::wrong(format!(
            "{name} is not on PATH; install PostgreSQL's client programs, as new as the server (Debian, Ubuntu: \
             apt-get install postgresql-client; macOS: brew install libpq) [TOOL_MISSING]"
        ))),
        Err(error) => Err(Failure::wrong(format!("{name}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_on_the_command_line() {
        let command =
            tool("pg_dump", &Secret::new("postgres://concord:a%2Fb+c@db.internal/concord")).unwrap();
        assert!(command.get_args().all(|arg| !arg.to_string_lossy().contains("a%2Fb")));
        let kept = command.get_envs().find(|(name, _)| *name == "PGPASSWORD").and_then(|(_, value)| value);
        assert_eq!(kept.unwrap(), "a/b+c");
    }

    #[tokio::test]
    async fn a_missing_program_is_named_with_what_to_install() {
        let missing = finish(Command::new("pg_dump-that-nobody-has"), "pg_dump").await.unwrap_err();
        assert!(missing.message.contains("apt-get install postgresql-client"), "{missing:?}");
        assert!(missing.message.contains("[TOOL_MISSING]"));
    }
}
