//! Checkpoints: what the chains had come to at an instant, signed with a key that is not in the database. Each is kept as
//! a row and, before that, as a line of a file beside the keys, so that a database that was cut short or rewritten whole is
//! found by whoever kept a copy of the file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::checkpoint::{ActiveModel, Column, Entity};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Head, sealed_position};
use crate::{
    config::Config,
    domain::{Ctx, Error, Result, identity::signing::Signed},
};

/// What keeps a signature under a checkpoint from being taken for anything else.
pub(super) const PURPOSE: &str = "checkpoint";

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Checkpoint {
    /// The last position that was given.
    pub(super) position: i64,
    pub(super) made_at: DateTime<Utc>,
    /// The last link of every chain that moved since the checkpoint before.
    pub(super) heads: Vec<Head>,
}

/// One line: a checkpoint with the signature over its very bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) checkpoint: Box<RawValue>,
    pub(super) kid: String,
    pub(super) signature: String,
}

/// The folder of the files, one for each month.
pub fn folder(config: &Config) -> PathBuf {
    config.data.directory.join("checkpoints")
}

/// Makes a checkpoint, unless nothing was sealed since the last or that one is younger than `age`; tells whether it did.
///
/// It only states what is committed and never changes, so two nodes that make one at the same time do no harm.
pub async fn make(ctx: &Ctx, age: TimeDelta) -> Result<bool> {
    let last = Entity::find().order_by_desc(Column::Position).one(ctx.read()).await?;
    let now = ctx.now();
    // Whichever way the clock was turned.
    if last.as_ref().is_some_and(|last| (now - last.made_at).abs() < age) {
        return Ok(false);
    }
    let before = last.map(|last| last.position);
    let position = sealed_position(ctx.read()).await?;
    if position <= before.unwrap_or_default() {
        return Ok(false);
    }
    let heads = Head::read(ctx.read(), before).await?;
    let line = signed(ctx, &Checkpoint { position, made_at: now, heads })?;
    // The file first: a row says that its line is on the disk.
    let path = folder(&ctx.app.config).join(now.format("%Y-%m.jsonl").to_string());
    let (to, text) = (path.clone(), format!("{line}\n"));
    let written = tokio::task::spawn_blocking(move || append(&to, &text)).await.map_err(Error::internal)?;
    written.map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    let tx = ctx.begin().await?;
    Entity::insert(ActiveModel { position: Set(position), made_at: Set(now), line: Set(line) })
        .on_conflict(OnConflict::column(Column::Position).do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    tx.commit(Uuid::nil()).await?;
    Ok(true)
}

fn signed(ctx: &Ctx, checkpoint: &Checkpoint) -> Result<String> {
    let text = serde_json::to_string(checkpoint).map_err(Error::internal)?;
    let Signed { kid, signature } =
        ctx.app.identity.keys.sign_for(PURPOSE, text.as_bytes()).map_err(Error::internal)?;
    let checkpoint = RawValue::from_string(text).map_err(Error::internal)?;
    serde_json::to_string(&Line { checkpoint, kid, signature }).map_err(Error::internal)
}

/// Adds a line and waits until it is on the disk.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let is_new = !path.exists();
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // Given back when the file is closed, also by a crash.
    file.lock()?;
    let whole = whole_lines(&mut file)?;
    file.set_len(whole)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    if is_new { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// How long the file is without what a crash left of a line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(0);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        return Ok(length);
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    u64::try_from(end).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_crash_cut_off_gives_way_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below").join("2026-01.jsonl");
        append(&path, "one\n").unwrap();
        for (cut_off, stays) in [("", "one\n"), ("tw", "one\n"), ("two\nthr", "one\ntwo\n")] {
            fs::write(&path, format!("one\n{cut_off}")).unwrap();
            append(&path, "next\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{stays}next\n"));
        }
        fs::write(&path, "no end").unwrap();
        append(&path, "next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "next\n");
    }
}
