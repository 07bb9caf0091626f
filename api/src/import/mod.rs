//! Files from outside: read, checked row by row, and brought in through the domain's own verbs under the platform's hand.
//! A bad row is reported by file, line and column and does not stop the rest. Nothing here prints or asks for rights.

use std::path::Path;

use crate::domain::{Code, Error, Result};

pub mod calendar;
pub mod csv;
pub mod grids;
mod known;
pub mod ledger;
pub mod members;
pub mod problems;
pub mod regions;
pub mod rotation;
pub mod tasks;

/// Most errors that a report spells out.
const MOST_ERRORS: usize = 1_000;

/// A file in memory, under the name that reports call it.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Source {
    /// Reads a file of at most `most` bytes.
    pub async fn read(path: &Path, most: u64) -> Result<Self> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let missing = || Error::refused(Code::ImportFileMissing).with("file", path.display());
        let size = tokio::fs::metadata(path).await.map_err(|_| missing())?.len();
        if size > most {
            return Err(Error::refused(Code::ImportTooLarge).with("most", format!("{} MiB", most >> 20)));
        }
        let bytes = tokio::fs::read(path).await.map_err(|_| missing())?;
        Ok(Self { name, bytes })
    }

    /// About how many rows it has; for progress bars.
    pub fn lines(&self) -> u64 {
        let lines = self.bytes.iter().filter(|byte| **byte == b'\n').count();
        u64::try_from(lines).unwrap_or(u64::MAX)
    }
}

/// How to import.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Checks and counts everything, and changes nothing.
    pub dry_run: bool,
    /// Told the number of rows done so far.
    pub progress: &'a (dyn Fn(u64) + Send + Sync),
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { dry_run: false, progress: &|_| {} }
    }
}

/// A refused row: its file, line and column, both counted from 1; 0 where the mistake is the whole file's or row's.
#[derive(Debug)]
pub struct RowError {
    pub file: String,
    pub line: u64,
    pub column: u64,
    pub error: Error,
}

/// What came of an import.
#[derive(Debug, Default)]
pub struct Report {
    pub imported: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub errors: Vec<RowError>,
    /// How many more errors there were than the report spells out.
    pub more_errors: u64,
    /// Rows that are as good as any, and left all the same: what they tell of goes on here.
    pub notes: Vec<RowError>,
    /// How many were left, spelt out or not.
    pub left: u64,
}

impl Report {
    /// Notes a refused row.
    pub fn refuse(&mut self, error: RowError) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(error);
        } else {
            self.more_errors += 1;
        }
    }

    /// Notes a row that is left.
    pub fn leave(&mut self, note: RowError) {
        self.left += 1;
        if self.notes.len() < MOST_ERRORS {
            self.notes.push(note);
        }
    }

    /// How many rows were refused.
    pub fn refused(&self) -> u64 {
        u64::try_from(self.errors.len()).unwrap_or(u64::MAX).saturating_add(self.more_errors)
    }
}
