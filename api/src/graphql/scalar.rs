//! Scalars of the schema: instants, dates, months.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{Datelike, NaiveDate, SecondsFormat, Utc};

/// An instant in UTC, such as `2026-11-23T06:30:00Z`; years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// An instant in UTC, such as `2026-11-23T06:30:00Z`; years 1970 to 9999.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let at = chrono::DateTime::parse_from_rfc3339(text)
            .map_err(|_| InputValueError::custom("expected an instant such as 2026-11-23T06:30:00Z"))?
            .with_timezone(&Utc);
        if (1970..=9999).contains(&at.year()) {
            Ok(Self(at))
        } else {
            Err(InputValueError::custom("expected a year from 1970 to 9999"))
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(at: chrono::DateTime<Utc>) -> Self {
        Self(at)
    }
}

/// A calendar day without a time zone, such as `2026-11-23`; years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// A calendar day without a time zone, such as `2026-11-23`; years 1970 to 9999.
#[Scalar(name = "Date", specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        day(text).map(Self).ok_or_else(|| InputValueError::custom("expected a date such as 2026-11-23"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(on: NaiveDate) -> Self {
        Self(on)
    }
}

/// A calendar month, such as `2026-11`; years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearMonth(
    /// The month's first day.
    pub NaiveDate,
);

/// A calendar month, such as `2026-11`; years 1970 to 9999.
#[Scalar(name = "YearMonth", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for YearMonth {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        day(&format!("{text}-01"))
            .map(Self)
            .ok_or_else(|| InputValueError::custom("expected a month such as 2026-11"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m").to_string())
    }
}

impl From<NaiveDate> for YearMonth {
    fn from(on: NaiveDate) -> Self {
        Self(on)
    }
}

/// Reads exactly `YYYY-MM-DD`.
fn day(text: &str) -> Option<NaiveDate> {
    let on = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == 10 && (1970..=9999).contains(&on.year())).then_some(on)
}
