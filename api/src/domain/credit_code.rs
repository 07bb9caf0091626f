//! The unified social credit code of GB 32100-2015: reading one, checking it, and making up a fictitious one.
//! This room does not ask any register whether the organisation exists, and it takes every registration authority.

use std::fmt;
use std::str::FromStr;

/// Lists the characters of the code; the index of each is its value.
const ALPHABET: [char; 31] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L',
    'M', 'N', 'P', 'Q', 'R', 'T', 'U', 'W', 'X', 'Y',
];
/// Lists the weights of the first 17 positions, the powers of 3 modulo 31.
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Lists the weights of the eight characters of the organisation code (GB 11714).
const ORGANIZATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Is the number of characters of a code.
const LENGTH: usize = 18;

/// A well-formed unified social credit code, in upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

/// Why a text is no unified social credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// The text has not 18 characters.
    #[error("the code has {found} characters instead of 18")]
    WrongLength { found: usize },
    /// The alphabet of the code lacks the character at this place, counted from 1.
    #[error("position {position} holds {character:?}, which the code cannot contain")]
    BadCharacter { position: usize, character: char },
    /// The check character disagrees; a checksum cannot say where the mistake is.
    #[error("one or more characters are mistyped")]
    BadCheck,
}

/// What is doubtful about a code that is valid all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditCodeWarning {
    /// The organisation code (positions 9 to 17) has a check character of its own, and it disagrees.
    OrganizationCheck { expected: char, found: char },
}

impl CreditCode {
    /// Reads a code as people type it: surrounding space, lower case and full-width forms are put right first.
    pub fn parse(text: &str) -> Result<Self, CreditCodeError> {
        let characters: Vec<char> = text.trim().chars().map(normalize).collect();
        if characters.len() != LENGTH {
            return Err(CreditCodeError::WrongLength { found: characters.len() });
        }
        if let Some((index, &character)) =
            characters.iter().enumerate().find(|&(_, &character)| value(character).is_none())
        {
            return Err(CreditCodeError::BadCharacter { position: index + 1, character });
        }
        let code: String = characters.into_iter().collect();
        if check_char(&code) != code.chars().last() {
            return Err(CreditCodeError::BadCheck);
        }
        Ok(Self(code))
    }

    /// Returns the 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the six digits of the division that registered the organisation.
    pub fn division(&self) -> &str {
        self.0.get(2..8).unwrap_or_default()
    }

    /// Returns the nine characters of the organisation code.
    pub fn organization_code(&self) -> &str {
        self.0.get(8..17).unwrap_or_default()
    }

    /// Returns what is doubtful about the code, if anything.
    pub fn warning(&self) -> Option<CreditCodeWarning> {
        let mut organization = self.organization_code().chars();
        let expected = organization_check(organization.by_ref().take(8))?;
        let found = organization.next()?;
        (expected != found).then_some(CreditCodeWarning::OrganizationCheck { expected, found })
    }

    /// Makes up a valid code for a demonstration: registered in the division, organisation `DEM` and a serial number.
    /// Returns nothing unless the division has six digits and the serial number at most five.
    pub fn fictitious(division: &str, serial: u32) -> Option<Self> {
        Self::fictitious_of("11", division, serial)
    }

    /// Makes up a valid code as [`Self::fictitious`] does, with another registration authority and category (such as
    /// `91` for an enterprise).
    pub fn fictitious_of(kind: &str, division: &str, serial: u32) -> Option<Self> {
        let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        if serial > 99_999 || !digits(division, 6) || kind.len() != 2 {
            return None;
        }
        let organization = format!("DEM{serial:05}");
        let own_check = organization_check(organization.chars())?;
        let stem = format!("{kind}{division}{organization}{own_check}");
        let check = check_char(&stem)?;
        Self::parse(&format!("{stem}{check}")).ok()
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for CreditCode {
    type Err = CreditCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Returns the check character that belongs to the first 17 characters of `stem`, or nothing when it is shorter or
/// holds a character outside the alphabet.
pub fn check_char(stem: &str) -> Option<char> {
    let values: Option<Vec<usize>> = stem.chars().take(WEIGHTS.len()).map(value).collect();
    let values = values.filter(|values| values.len() == WEIGHTS.len())?;
    let sum: usize = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    ALPHABET.get((31 - sum % 31) % 31).copied()
}

/// Returns the organisation code's own check character.
fn organization_check(body: impl Iterator<Item = char>) -> Option<char> {
    let mut sum = 0;
    for (character, weight) in body.zip(ORGANIZATION_WEIGHTS) {
        sum += character.to_digit(36)? * weight;
    }
    match 11 - sum % 11 {
        11 => Some('0'),
        10 => Some('X'),
        digit => char::from_digit(digit, 10),
    }
}

/// Returns the value of a character of the code.
fn value(character: char) -> Option<usize> {
    ALPHABET.iter().position(|&known| known == character)
}

/// Turns the full-width forms an input method leaves behind into plain ones, and lower case into upper case.
fn normalize(character: char) -> char {
    let plain = match u32::from(character) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(character),
        _ => character,
    };
    plain.to_ascii_uppercase()
}

#[cfg(test)]
#[path = "credit_code_tests.rs"]
mod tests;
