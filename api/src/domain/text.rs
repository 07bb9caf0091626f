//! Checks of texts that people type: trimmed, not blank, not too long, without control characters.

use sea_orm::{
    ExprTrait, IntoSimpleExpr,
    sea_query::{Expr, Func, LikeExpr, SimpleExpr},
};

use super::error::{Code, Error, Result};

/// A text that must be there, trimmed.
pub fn required(value: &str, field: &'static str, most: usize) -> Result<String> {
    optional(Some(value), field, most)?.ok_or_else(|| Error::invalid(Code::Required, field))
}

/// A text that may be absent; blank counts as absent.
pub fn optional(value: Option<&str>, field: &'static str, most: usize) -> Result<Option<String>> {
    let Some(text) = value.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > most {
        return Err(Error::invalid(Code::TooLong, field).with("most", most));
    }
    // PostgreSQL cannot store NUL, and no other control character but line breaks and tabs means anything in a list.
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Error::invalid(Code::Malformed, field).with("expected", "text"));
    }
    Ok(Some(text.to_owned()))
}

/// A number within bounds.
pub fn within(value: i32, field: &'static str, least: i32, most: i32) -> Result<i32> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Error::invalid(Code::OutOfRange, field).with("least", least).with("most", most))
    }
}

/// A condition that holds where `column` contains `part`, whatever the case of Latin letters; wildcards mean themselves.
pub fn contains(column: impl IntoSimpleExpr, part: &str) -> SimpleExpr {
    let mut pattern = String::from("%");
    for character in part.trim().to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        // PostgreSQL cannot even be asked for NUL.
        if character != '\0' {
            pattern.push(character);
        }
    }
    pattern.push('%');
    Expr::expr(Func::lower(column.into_simple_expr())).like(LikeExpr::new(pattern).escape('\\'))
}
