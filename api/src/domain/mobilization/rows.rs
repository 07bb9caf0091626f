//! Many rows in one statement of a fixed text: they travel as one JSON text, which either engine takes apart.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

use crate::domain::{Error, Result};

/// An instant as the engine's own driver writes it, so that stored texts compare.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// An identifier in a row.
pub fn identifier(id: impl Into<Uuid>) -> String {
    id.into().simple().to_string()
}

/// Writes the rows.
pub fn json<T: serde::Serialize>(rows: &[T]) -> Result<Value> {
    Ok(serde_json::to_string(rows).map_err(Error::internal)?.into())
}

/// How an engine writes what stands in a statement over such rows. Parameters are numbered from 1; the rows are the first.
#[derive(Clone, Copy)]
pub struct Sql(pub DbBackend);

impl Sql {
    pub fn of(db: &impl ConnectionTrait) -> Self {
        Self(db.get_database_backend())
    }

    const fn is_sqlite(self) -> bool {
        matches!(self.0, DbBackend::Sqlite)
    }

    /// The rows, each as `item.value`.
    pub const fn rows(self) -> &'static str {
        if self.is_sqlite() { "json_each(?1) item" } else { "jsonb_array_elements(CAST($1 AS jsonb)) item" }
    }

    /// Rows that are themselves texts of hexadecimal digits, as the bytes that a column is among.
    pub const fn among_row_bytes(self) -> &'static str {
        if self.is_sqlite() {
            "IN (SELECT unhex(item.value) FROM json_each(?1) item)"
        } else {
            "= ANY (ARRAY(SELECT decode(item.value #>> '{}', 'hex') FROM jsonb_array_elements(CAST($1 AS jsonb)) item))"
        }
    }

    fn text(self, at: usize) -> String {
        if self.is_sqlite() {
            format!("json_extract(item.value, '$[{at}]')")
        } else {
            format!("(item.value ->> {at})")
        }
    }

    /// A text of a row, which is null where the row has null.
    pub fn string(self, at: usize) -> String {
        self.text(at)
    }

    pub fn bytes(self, at: usize) -> String {
        let text = self.text(at);
        if self.is_sqlite() { format!("unhex({text})") } else { format!("decode({text}, 'hex')") }
    }

    pub fn identifier(self, at: usize) -> String {
        let text = self.text(at);
        if self.is_sqlite() { format!("unhex({text})") } else { format!("CAST({text} AS uuid)") }
    }

    pub fn instant(self, at: usize) -> String {
        let text = self.text(at);
        if self.is_sqlite() { text } else { format!("CAST({text} AS timestamptz)") }
    }

    pub fn integer(self, at: usize) -> String {
        let text = self.text(at);
        if self.is_sqlite() { text } else { format!("CAST({text} AS integer)") }
    }

    pub fn boolean(self, at: usize) -> String {
        let text = self.text(at);
        if self.is_sqlite() { text } else { format!("CAST({text} AS boolean)") }
    }

    /// A parameter of a type, by PostgreSQL's name of it.
    pub fn parameter(self, number: usize, of: &str) -> String {
        if self.is_sqlite() { format!("?{number}") } else { format!("CAST(${number} AS {of})") }
    }

    pub fn statement(self, text: String, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.0, text, values)
    }
}
