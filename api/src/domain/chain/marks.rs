//! What checkpoints say of the chains: read from the database, from the files beside the keys and from copies kept
//! elsewhere, each checked against the key that signed it.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Display,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use concord_entities::checkpoint::{Column, Entity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::checkpoint::{Checkpoint, Line, PURPOSE};
use crate::{
    domain::{
        error::Error,
        identity::signing::{KeyRing, Signed},
    },
    storage::Sha256Hex,
};

/// Most rows read in one statement.
const PAGE: u64 = 1000;

/// Why a checkpoint does not count.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the checkpoints cannot be read")]
    Database(#[source] Error),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{0} is no checkpoint")]
    Unreadable(Arc<str>),
    #[error("{place} is signed with a key that is not here, {kid}; bring keys.json back, or it is forged")]
    UnknownKey { place: Arc<str>, kid: String },
    #[error("{0} is forged: its signature does not fit what it says")]
    Forged(Arc<str>),
}

/// The hash of a link, and the checkpoint that says so.
type Said = (Sha256Hex, Arc<str>);

/// What checkpoints say: the hash of a link by chain and number, and how far positions had come.
#[derive(Debug, Default)]
pub struct Marks {
    links: BTreeMap<(Uuid, i64), Vec<Said>>,
    furthest: Option<(i64, Arc<str>)>,
    known: HashSet<[u8; 32]>,
}

impl Marks {
    /// Reads every checkpoint of the database and of `files`; a folder stands for all files in it.
    pub async fn read(db: &impl ConnectionTrait, keys: &KeyRing, files: &[PathBuf]) -> Result<Self, Fault> {
        let mut marks = Self::default();
        for path in files {
            marks.read_files(keys, path)?;
        }
        let mut last = 0;
        loop {
            let rows = Entity::find()
                .filter(Column::Position.gt(last))
                .order_by_asc(Column::Position)
                .limit(PAGE)
                .all(db)
                .await
                .map_err(|error| Fault::Database(error.into()))?;
            let Some(end) = rows.last() else { return Ok(marks) };
            last = end.position;
            for row in rows {
                let place = format!("the checkpoint of position {} in the database", row.position);
                let said = marks.add(keys, row.line.as_bytes(), &place)?;
                if said.is_some_and(|position| position != row.position) {
                    return Err(Fault::Forged(place.into()));
                }
            }
        }
    }

    /// How many checkpoints there are, each counted once wherever it stands.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    fn read_files(&mut self, keys: &KeyRing, path: &Path) -> Result<(), Fault> {
        let io = |source| Fault::Io { path: path.to_owned(), source };
        if path.is_dir() {
            let entries: io::Result<Vec<_>> =
                fs::read_dir(path).map_err(io)?.map(|entry| entry.map(|entry| entry.path())).collect();
            let mut files = entries.map_err(io)?;
            files.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
            files.sort();
            return files.iter().try_for_each(|file| self.read_files(keys, file));
        }
        let mut lines = BufReader::new(File::open(path).map_err(io)?);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            lines.read_until(b'\n', &mut line).map_err(io)?;
            // A last line without its end is being written, or a crash cut it off.
            let Some(text) = line.strip_suffix(b"\n") else { break };
            self.add(keys, text, &format!("line {number} of {}", path.display()))?;
        }
        Ok(())
    }

    /// Takes in one line, and gives its position where it was not known yet.
    fn add(&mut self, keys: &KeyRing, line: &[u8], place: &impl Display) -> Result<Option<i64>, Fault> {
        if !self.known.insert(Sha256::digest(line).into()) {
            return Ok(None);
        }
        let place: Arc<str> = place.to_string().into();
        let Line { checkpoint, kid, signature } =
            serde_json::from_slice(line).map_err(|_| Fault::Unreadable(place.clone()))?;
        let text = checkpoint.get();
        let signed = Signed { kid, signature };
        if !keys.list().iter().any(|key| key.kid == signed.kid) {
            return Err(Fault::UnknownKey { place, kid: signed.kid });
        }
        if !keys.verify_for(PURPOSE, text.as_bytes(), &signed) {
            return Err(Fault::Forged(place));
        }
        let said: Checkpoint = serde_json::from_str(text).map_err(|_| Fault::Unreadable(place.clone()))?;
        if self.furthest.as_ref().is_none_or(|(furthest, _)| *furthest < said.position) {
            self.furthest = Some((said.position, place.clone()));
        }
        for head in said.heads {
            let said = self.links.entry((head.chain, head.length)).or_default();
            if !said.iter().any(|(hash, _)| *hash == head.hash) {
                said.push((head.hash, place.clone()));
            }
        }
        Ok(Some(said.position))
    }

    /// Which checkpoint says otherwise of a link, if one does.
    pub(super) fn contradicts(&self, chain: Uuid, number: i64, hash: &[u8]) -> Option<&Arc<str>> {
        let said = self.links.get(&(chain, number))?;
        let hash = Sha256Hex::from_digest(hash.try_into().ok()?);
        said.iter().find(|(said, _)| *said != hash).map(|(_, place)| place)
    }

    /// A chain that is shorter than a checkpoint says, where all of them end at `position` and each has so many links.
    pub(super) fn missing(&self, position: i64, length: impl Fn(Uuid) -> i64) -> Option<(Uuid, String)> {
        let link = self.links.iter().find(|((chain, number), _)| *number > length(*chain));
        if let Some(((chain, number), said)) = link {
            let place = said.first().map_or("a checkpoint", |(_, place)| place);
            return Some((*chain, format!("links are missing after it: {place} names number {number}")));
        }
        let (furthest, place) = self.furthest.as_ref().filter(|(furthest, _)| *furthest > position)?;
        Some((Uuid::nil(), format!("positions are missing after it: {place} names {furthest}")))
    }
}
