//! Checks of texts that people type: trimmed, not blank, not too long, without control characters, in one line where they are short.

use sea_orm::{
    ExprTrait, IntoSimpleExpr,
    sea_query::{Expr, Func, LikeExpr, SimpleExpr},
};

use super::error::{Code, Error, Result};

/// What is no longer than this is one line: names, codes, titles, places, phone numbers. What tells more may have several.
const LINE: usize = 300;

/// A text that must be there, trimmed.
pub fn required(value: &str, field: &'static str, most: usize) -> Result<String> {
    optional(Some(value), field, most)?.ok_or_else(|| Error::invalid(Code::Required, field))
}

/// A text that may be absent; blank counts as absent.
pub fn optional(value: Option<&str>, field: &'static str, most: usize) -> Result<Option<String>> {
    let Some(text) = value.map(str::trim).filter(|text| text.chars().any(is_visible)) else {
        return Ok(None);
    };
    if text.chars().count() > most {
        return Err(Error::invalid(Code::TooLong, field).with("most", most));
    }
    // PostgreSQL cannot store NUL, and of other control characters only line breaks and tabs mean anything, in a text of several lines.
    let is_line = most <= LINE;
    let breaks = |character: char| matches!(character, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}');
    let is_refused = |character: char| {
        if breaks(character) { is_line } else { character.is_control() || turns_text_around(character) }
    };
    if text.chars().any(is_refused) {
        let expected = if is_line { "line" } else { "text" };
        return Err(Error::invalid(Code::Malformed, field).with("expected", expected));
    }
    Ok(Some(text.to_owned()))
}

/// Whether a character leaves anything on the page; what is refused anyway counts as if it did.
fn is_visible(character: char) -> bool {
    !character.is_whitespace()
        && !matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a character makes what follows read otherwise than it is written.
fn turns_text_around(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A number within bounds.
pub fn within(value: i32, field: &'static str, least: i32, most: i32) -> Result<i32> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Error::invalid(Code::OutOfRange, field).with("least", least).with("most", most))
    }
}

/// A condition that holds where `column` contains `part`, whatever the case of Latin letters; wildcards mean themselves. SQLite folds
/// the letters A to Z alone: any other is found there as it is given, or in small letters.
pub fn contains(column: impl IntoSimpleExpr, part: &str) -> SimpleExpr {
    let folded = Func::lower(column.into_simple_expr());
    let holds = |part: &str| Expr::expr(folded.clone()).like(LikeExpr::new(pattern(part)).escape('\\'));
    let (whole, ascii) = (part.to_lowercase(), part.to_ascii_lowercase());
    if whole == ascii { holds(&whole) } else { holds(&whole).or(holds(&ascii)) }
}

/// What a text matches that contains `part`.
fn pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.trim().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        // PostgreSQL cannot even be asked for NUL.
        if character != '\0' {
            pattern.push(character);
        }
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_nothing_on_the_page_counts_as_blank() {
        for blank in ["", " ", "\u{3000}", "\u{200b}", "\u{feff}\u{200d}", "\u{2800}", "\u{3164} \u{ad}"] {
            assert_eq!(optional(Some(blank), "title", 10).expect("blank"), None, "{blank:?}");
            assert!(required(blank, "title", 10).is_err());
        }
        assert_eq!(required(" 路面\u{200d} ", "title", 10).expect("a text"), "路面\u{200d}");
    }

    #[test]
    fn what_is_short_is_one_line() {
        for character in ['\n', '\r', '\t', '\u{2028}', '\u{85}'] {
            let text = format!("路{character}面");
            assert!(required(&text, "name", LINE).is_err(), "{character:?}");
        }
        for text in ["第一行\n第二行", "一\t二", "甲\r\n乙"] {
            assert_eq!(required(text, "reason", 1_000).expect("several lines"), text);
        }
        assert_eq!(required("路面\n", "name", LINE).expect("trimmed"), "路面");
    }

    #[test]
    fn what_turns_text_around_is_refused() {
        for character in ['\u{202e}', '\u{2066}', '\0', '\u{7}'] {
            assert!(required(&format!("路面{character}"), "title", 10).is_err(), "{character:?}");
        }
    }
}
