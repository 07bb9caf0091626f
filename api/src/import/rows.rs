//! Rows of a CSV file with the line each begins on. A row that cannot be read is told by line and column; the next one is
//! read all the same.

use csv::{ByteRecord, Position, ReaderBuilder, Trim};

use crate::domain::{Code, Error, Result};

/// What is wrong with a row.
#[derive(Debug)]
pub struct Fault {
    /// The line on which the row begins, from 1; the header is line 1.
    pub line: u64,
    /// The column at fault, by its name in the file.
    pub column: Option<String>,
    pub error: Error,
}

/// A table being read.
pub struct Rows<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    header: Vec<String>,
}

/// One row.
#[derive(Debug)]
pub struct Row<'a> {
    pub line: u64,
    header: &'a [String],
    record: ByteRecord,
}

impl<'a> Rows<'a> {
    /// Reads the header.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        // A byte order mark tells spreadsheets that this is UTF-8; it is no part of the first name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(bytes);
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(Error::internal)? {
            return Err(Error::refused(Code::RowTruncated));
        }
        let names = record.iter().map(|cell| std::str::from_utf8(cell).map(str::to_owned));
        let header = names.collect::<std::result::Result<_, _>>();
        let header = header.map_err(|_| Error::refused(Code::RowEncoding))?;
        Ok(Self { bytes, reader, header })
    }

    /// Whether the file has a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// The next row, or what is wrong with it; nothing at the end.
    pub fn read(&mut self) -> Result<Option<std::result::Result<Row<'_>, Fault>>> {
        let mut record = ByteRecord::new();
        if !self.reader.read_byte_record(&mut record).map_err(Error::internal)? {
            return Ok(None);
        }
        let line = record.position().map_or(0, Position::line);
        let fault = |error| Ok(Some(Err(Fault { line, column: None, error })));
        if self.ends_within_quotes(&record) {
            return fault(Error::refused(Code::RowTruncated));
        }
        if record.len() != self.header.len() {
            let error = Error::refused(Code::RowWidth);
            return fault(error.with("expected", self.header.len()).with("found", record.len()));
        }
        Ok(Some(Ok(Row { line, header: &self.header, record })))
    }

    /// Whether the file ends before the quote that this row opened last is closed.
    fn ends_within_quotes(&self, record: &ByteRecord) -> bool {
        let place = |position: &Position| usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let (start, end) = (record.position().map_or(0, place), place(self.reader.position()));
        let raw = self.bytes.get(start..).unwrap_or_default();
        end >= self.bytes.len() && raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1
    }
}

impl Row<'_> {
    /// The text of a cell; empty cells are absent.
    pub fn cell(&self, column: &str) -> std::result::Result<Option<&str>, Fault> {
        let place = self.header.iter().position(|name| name == column);
        let Some(cell) = place.and_then(|place| self.record.get(place)) else {
            return Ok(None);
        };
        match std::str::from_utf8(cell) {
            Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Err(_) => Err(self.fault(column, Error::refused(Code::RowEncoding))),
        }
    }

    /// Something wrong with a cell.
    pub fn fault(&self, column: &str, error: Error) -> Fault {
        Fault { line: self.line, column: Some(column.to_owned()), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_know_their_lines_and_what_is_wrong_with_them() {
        let bytes = b"\xef\xbb\xbfa,b\n1,\"x\ny\"\n1\n1,\xff\n2,\"z\"\n3,\"cut";
        let mut rows = Rows::open(bytes).unwrap();
        assert!(rows.has("a") && !rows.has("c"));
        let row = rows.read().unwrap().unwrap().unwrap();
        assert_eq!((row.line, row.cell("b").unwrap()), (2, Some("x\ny")));
        let fault = rows.read().unwrap().unwrap().unwrap_err();
        assert_eq!((fault.line, fault.error.code()), (4, Code::RowWidth));
        let row = rows.read().unwrap().unwrap().unwrap();
        assert_eq!(row.cell("a").unwrap(), Some("1"));
        let fault = row.cell("b").unwrap_err();
        assert_eq!((fault.line, fault.column.as_deref()), (5, Some("b")));
        assert_eq!(fault.error.code(), Code::RowEncoding);
        assert_eq!(rows.read().unwrap().unwrap().unwrap().line, 6);
        let fault = rows.read().unwrap().unwrap().unwrap_err();
        assert_eq!((fault.line, fault.error.code()), (7, Code::RowTruncated));
        assert!(rows.read().unwrap().is_none());
        assert!(Rows::open(b"").is_err());
    }
}
