//! Tables in CSV as people save them: with or without a byte-order mark, header titles in Chinese or English, comment
//! lines with `#`. Tells the line and column of whatever cannot be read. Knows nothing of what the columns mean.

use csv::{ByteRecord, ReaderBuilder};

use super::{RowError, Source};
use crate::domain::{Code, Error, ledger};

/// What stands between several values of one cell.
const BETWEEN: [char; 8] = ['；', ';', '、', '，', ',', '|', '\n', '\r'];

/// A column that an import reads.
#[derive(Clone, Copy, Debug)]
pub struct Column<'c> {
    /// Titles it goes by; the first one is named when it is missing.
    pub titles: &'c [&'c str],
    /// Whether the file is unusable without it.
    pub required: bool,
}

/// A column that must be there.
pub const fn required<'c>(titles: &'c [&'c str]) -> Column<'c> {
    Column { titles, required: true }
}

/// A column that may be there.
pub const fn optional<'c>(titles: &'c [&'c str]) -> Column<'c> {
    Column { titles, required: false }
}

/// A table being read.
pub struct Table<'a> {
    name: &'a str,
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    record: ByteRecord,
    /// Where each column that was asked for stands.
    places: Vec<Option<usize>>,
    width: usize,
    /// Lines of notes above the header.
    noted: u64,
    most_rows: u64,
    rows: u64,
    ended: bool,
}

/// One row.
pub struct Row<'t> {
    /// Line in the file, from 1.
    pub line: u64,
    record: &'t ByteRecord,
    places: &'t [Option<usize>],
}

impl Row<'_> {
    /// The trimmed value of the `index`-th column that was asked for; empty where the file lacks the column.
    pub fn get(&self, index: usize) -> &str {
        let place = self.places.get(index).copied().flatten();
        let bytes = place.and_then(|place| self.record.get(place)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default().trim()
    }

    /// The value, or nothing where it is blank.
    pub fn filled(&self, index: usize) -> Option<String> {
        Some(self.get(index)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// The value as it was before a ledger guarded it against formulas, or nothing where it is blank.
    pub fn unguarded(&self, index: usize) -> Option<&str> {
        Some(ledger::unguarded(self.get(index)).trim()).filter(|value| !value.is_empty())
    }

    /// The column's place in the file, from 1; 0 where the file lacks it.
    pub fn column(&self, index: usize) -> u64 {
        let place = self.places.get(index).copied().flatten();
        place.and_then(|place| u64::try_from(place + 1).ok()).unwrap_or_default()
    }
}

impl<'a> Table<'a> {
    /// Reads the header and finds the columns in it.
    pub fn open(source: &'a Source, columns: &[Column<'_>], most_rows: u64) -> Result<Self, RowError> {
        let mut bytes = source.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&source.bytes);
        // A file may say where it comes from above its header; below it a row that begins with # is a row.
        let mut noted = 0;
        while bytes.starts_with(b"#") {
            let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            bytes = bytes.get(line..).unwrap_or_default();
            noted += 1;
        }
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut table = Self {
            name: &source.name,
            bytes,
            reader,
            record: ByteRecord::new(),
            places: Vec::new(),
            width: 0,
            noted,
            most_rows,
            rows: 0,
            ended: false,
        };
        let line = table.advance()?.unwrap_or(1);
        let titles: Vec<String> =
            table.record.iter().map(|title| plain(&String::from_utf8_lossy(title))).collect();
        for column in columns {
            let mut at = titles
                .iter()
                .enumerate()
                .filter(|(_, title)| column.titles.iter().any(|known| plain(known) == **title))
                .map(|(index, _)| index);
            let place = at.next();
            let twice = at.next();
            if twice.is_some() || (place.is_none() && column.required) {
                let error = Error::refused(Code::ImportColumnMissing)
                    .with("name", column.titles.first().copied().unwrap_or_default());
                return Err(table.refusal(line, twice.map_or(0, |index| index + 1), error));
            }
            table.places.push(place);
        }
        table.width = titles.len();
        table.rows = 0;
        Ok(table)
    }

    /// The next row, or what is wrong with it; nothing at the end.
    pub fn next_row(&mut self) -> Option<Result<Row<'_>, RowError>> {
        if self.ended {
            return None;
        }
        let line = match self.advance() {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        if self.rows > self.most_rows {
            self.ended = true;
            let error = Error::refused(Code::ImportTooLarge).with("most", self.most_rows);
            return Some(Err(self.refusal(line, 0, error)));
        }
        if self.record.len() != self.width {
            let error = Error::refused(Code::ImportWrongColumns)
                .with("found", self.record.len())
                .with("expected", self.width);
            return Some(Err(self.refusal(line, self.record.len().min(self.width) + 1, error)));
        }
        Some(Ok(Row { line, record: &self.record, places: &self.places }))
    }

    /// What is wrong with a row of this table.
    pub fn refusal(&self, line: u64, column: usize, error: Error) -> RowError {
        RowError {
            file: self.name.to_owned(),
            line,
            column: u64::try_from(column).unwrap_or_default(),
            error,
        }
    }

    /// The place in the file, from 1, of the `index`-th column that was asked for; 0 where the file lacks it.
    pub fn place(&self, index: usize) -> usize {
        self.places.get(index).copied().flatten().map_or(0, |place| place + 1)
    }

    /// The places of all columns that were asked for.
    pub fn all_places<const N: usize>(&self) -> [usize; N] {
        std::array::from_fn(|index| self.place(index))
    }

    /// Reads the next record and tells on which line it begins.
    fn advance(&mut self) -> Result<Option<u64>, RowError> {
        let from = self.reader.position().clone();
        let read = self.reader.read_byte_record(&mut self.record);
        let (mut line, start) = (from.line() + self.noted, from.byte());
        let end = self.reader.position().byte();
        let place = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
        let mut raw = self.bytes.get(place(start)..place(end)).unwrap_or_default();
        // The reader begins a record where the one before ended, ahead of blank lines.
        loop {
            let skipped = match raw {
                [b'\r', b'\n', ..] => 2,
                [b'\n' | b'\r', ..] => 1,
                _ => break,
            };
            raw = raw.get(skipped..).unwrap_or_default();
            line += 1;
        }
        match read {
            Ok(true) => {}
            Ok(false) => {
                self.ended = true;
                return Ok(None);
            }
            Err(_) => {
                self.ended = true;
                return Err(self.refusal(line, 0, Error::refused(Code::ImportQuoteOpen)));
            }
        }
        self.rows += 1;
        if raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            return Err(self.refusal(line, self.record.len(), Error::refused(Code::ImportQuoteOpen)));
        }
        let broken = self.record.iter().position(|field| std::str::from_utf8(field).is_err());
        if let Some(broken) = broken {
            return Err(self.refusal(line, broken + 1, Error::refused(Code::ImportNotUtf8)));
        }
        Ok(Some(line))
    }
}

/// The values of a cell that holds several.
pub fn several(text: &str) -> impl Iterator<Item = &str> {
    text.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty())
}

/// A title as it is compared: without spaces and letter case, `_` and full-width slashes.
fn plain(title: &str) -> String {
    title
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '_')
        .map(|character| if character == '／' { '/' } else { character })
        .collect::<String>()
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] =
        [required(&["名称", "name"]), optional(&["电话", "phone"]), optional(&["备注"])];

    type Read = Result<(u64, String, String), (u64, u64, Code)>;

    fn read(bytes: &[u8]) -> Vec<Read> {
        let source = Source { name: "t.csv".to_owned(), bytes: bytes.to_vec() };
        let place = |error: RowError| (error.line, error.column, error.error.code());
        let mut table = match Table::open(&source, &COLUMNS, 5) {
            Ok(table) => table,
            Err(error) => return vec![Err(place(error))],
        };
        let mut rows = Vec::new();
        while let Some(row) = table.next_row() {
            rows.push(match row {
                Ok(row) => Ok((row.line, row.get(0).to_owned(), row.get(1).to_owned())),
                Err(error) => Err(place(error)),
            });
        }
        rows
    }

    fn row(line: u64, name: &str, phone: &str) -> Read {
        Ok((line, name.to_owned(), phone.to_owned()))
    }

    #[test]
    fn titles_marks_comments_and_blank_lines_are_taken_as_people_leave_them() {
        let text = "\u{FEFF}# \"source\n Phone ,名 称,其他\r\n\r\n1,\"甲,乙\",x\r\n# note\n2,\"丙\"\"丁\n戊\",\n3,己,\n#4,#庚,\n";
        assert_eq!(
            read(text.as_bytes()),
            [
                row(4, "甲,乙", "1"),
                Err((5, 2, Code::ImportWrongColumns)),
                row(6, "丙\"丁\n戊", "2"),
                row(8, "己", "3"),
                row(9, "#庚", "#4"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_by_line_and_column_and_the_rest_goes_on() {
        assert_eq!(read(b""), [Err((1, 0, Code::ImportColumnMissing))]);
        assert_eq!(read("电话\n1\n".as_bytes()), [Err((1, 0, Code::ImportColumnMissing))]);
        assert_eq!(read("名称,name\nx,y\n".as_bytes()), [Err((1, 2, Code::ImportColumnMissing))]);
        let text = b"name,phone\na\nb,1,2\n\xff,3\nc,4\n";
        assert_eq!(
            read(text),
            [
                Err((2, 2, Code::ImportWrongColumns)),
                Err((3, 3, Code::ImportWrongColumns)),
                Err((4, 1, Code::ImportNotUtf8)),
                row(5, "c", "4"),
            ]
        );
        assert_eq!(
            read("name,phone\na,1\nb,\"2\nc,3\n".as_bytes()),
            [row(2, "a", "1"), Err((3, 2, Code::ImportQuoteOpen))]
        );
        assert_eq!(read("name,phone\n甲,\"1".as_bytes()), [Err((2, 2, Code::ImportQuoteOpen))]);
        assert_eq!(read(b"name\na\nb\nc\nd\ne\nf\ng\n").last(), Some(&Err((7, 0, Code::ImportTooLarge))));
    }
}
