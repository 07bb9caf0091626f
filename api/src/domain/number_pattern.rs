//! The pattern in which an alliance writes its closure numbers, such as `西海销〔{year}〕{seq:4}号`.
//! This room renders a number it is given; it hands out none and knows nothing of gaps.

use std::fmt::{self, Write as _};
use std::str::FromStr;

/// Is the most characters a pattern may have.
pub const MAX_LENGTH: usize = 64;
/// Is the widest zero-padding a sequence number may ask for.
pub const MAX_WIDTH: usize = 9;

/// A validated pattern with the year and the sequence number exactly once each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberPattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Year,
    Sequence { width: usize },
}

/// Why a text is no pattern; positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberPatternError {
    #[error("the pattern has {found} characters, more than {MAX_LENGTH}")]
    TooLong { found: usize },
    #[error("the pattern lacks {{year}}")]
    MissingYear,
    #[error("the pattern lacks {{seq}}")]
    MissingSequence,
    #[error("position {position} repeats a placeholder that may stand only once")]
    Repeated { position: usize },
    #[error("position {position} holds the unknown placeholder {{{name}}}")]
    UnknownPlaceholder { position: usize, name: String },
    #[error("the width of {{seq}} at position {position} is not between 1 and {MAX_WIDTH}")]
    BadWidth { position: usize },
    #[error("the brace at position {position} has no counterpart")]
    UnbalancedBrace { position: usize },
    #[error("position {position} holds a control character")]
    ControlCharacter { position: usize },
}

impl NumberPattern {
    /// Reads and validates a pattern; surrounding white space is dropped.
    pub fn parse(text: &str) -> Result<Self, NumberPatternError> {
        let text = text.trim();
        let found = text.chars().count();
        if found > MAX_LENGTH {
            return Err(NumberPatternError::TooLong { found });
        }
        let parts = split(text)?;
        if !parts.contains(&Part::Year) {
            return Err(NumberPatternError::MissingYear);
        }
        if !parts.iter().any(|part| matches!(part, Part::Sequence { .. })) {
            return Err(NumberPatternError::MissingSequence);
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The sequence number of a year for which this pattern would write `number`, if there is one.
    pub fn sequence(&self, year: i32, number: &str) -> Option<u32> {
        let frame = self.render(year, 0);
        let sequence = self.parts.iter().find_map(|part| match part {
            Part::Sequence { width } => Some("0".repeat(*width)),
            _ => None,
        })?;
        // What stands before the sequence number has a fixed length; what stands behind it too.
        let before: usize = self
            .parts
            .iter()
            .take_while(|part| !matches!(part, Part::Sequence { .. }))
            .map(|part| match part {
                Part::Literal(text) => text.len(),
                _ => format!("{year:04}").len(),
            })
            .sum();
        let (head, tail) = (frame.get(..before)?, frame.get(before + sequence.len()..)?);
        let found = number.strip_prefix(head)?.strip_suffix(tail)?.parse().ok()?;
        (self.render(year, found) == number).then_some(found)
    }

    /// Writes the number of a problem; a sequence number wider than its padding is written in full.
    pub fn render(&self, year: i32, sequence: u32) -> String {
        let mut number = String::new();
        for part in &self.parts {
            let written = match part {
                Part::Literal(text) => number.write_str(text),
                Part::Year => write!(number, "{year:04}"),
                Part::Sequence { width } => write!(number, "{sequence:0width$}", width = *width),
            };
            written.expect("writing to a string does not fail");
        }
        number
    }
}

impl Default for NumberPattern {
    fn default() -> Self {
        Self::parse("〔{year}〕{seq:4}号").expect("the shipped pattern is valid")
    }
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for NumberPattern {
    type Err = NumberPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Splits a pattern into literals and placeholders.
fn split(text: &str) -> Result<Vec<Part>, NumberPatternError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut characters = text.chars().zip(1..);
    while let Some((character, position)) = characters.next() {
        match character {
            '}' => return Err(NumberPatternError::UnbalancedBrace { position }),
            '{' => {
                let mut name = String::new();
                loop {
                    match characters.next() {
                        None | Some(('{', _)) => {
                            return Err(NumberPatternError::UnbalancedBrace { position });
                        }
                        Some(('}', _)) => break,
                        Some((inner, _)) => name.push(inner),
                    }
                }
                let part = placeholder(&name, position)?;
                if parts.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(&part)) {
                    return Err(NumberPatternError::Repeated { position });
                }
                parts.push(part);
            }
            _ if character.is_control() => return Err(NumberPatternError::ControlCharacter { position }),
            _ => match parts.last_mut() {
                Some(Part::Literal(literal)) => literal.push(character),
                _ => parts.push(Part::Literal(character.into())),
            },
        }
    }
    Ok(parts)
}

/// Reads the inside of a pair of braces that opens at `position`.
fn placeholder(name: &str, position: usize) -> Result<Part, NumberPatternError> {
    match name.split_once(':') {
        None if name == "year" => Ok(Part::Year),
        None if name == "seq" => Ok(Part::Sequence { width: 1 }),
        Some(("seq", width)) if width.bytes().all(|byte| byte.is_ascii_digit()) => width
            .parse()
            .ok()
            .filter(|width| (1..=MAX_WIDTH).contains(width))
            .map(|width| Part::Sequence { width })
            .ok_or(NumberPatternError::BadWidth { position }),
        Some(("seq", _)) => Err(NumberPatternError::BadWidth { position }),
        _ => Err(NumberPatternError::UnknownPlaceholder { position, name: name.to_owned() }),
    }
}

#[cfg(test)]
#[path = "number_pattern_tests.rs"]
mod tests;
