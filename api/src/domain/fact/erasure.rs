//! Taking what was known of a person out of what is otherwise kept: a text loses the words, an event its payload and salt.
//! The event's link in the chain stays, and `verify` tells that it was erased.

use concord_entities::{event, id::EventId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::{Code, Error, Result, Tx, text};

/// What stands where somebody was named; no longer than the shortest word that is taken out.
const MARK: &str = "**";
/// Shorter words stand in too many texts that name nobody, and shorter numbers in too many that call nobody.
const SHORTEST_WORD: usize = 2;
const SHORTEST_NUMBER: usize = 5;
/// Longest reason.
const REASON: usize = 4_000;

/// Words that are to leave no trace: a name, a number.
pub struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    pub fn of(words: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let known = words.into_iter().flatten().map(str::trim);
        let long_enough = |word: &&str| {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            word.chars().count() >= if is_number { SHORTEST_NUMBER } else { SHORTEST_WORD }
        };
        Self(known.filter(long_enough).collect())
    }

    pub fn stand_in(&self, text: &str) -> bool {
        self.0.iter().any(|word| text.contains(word))
    }

    /// The reason of an erasure, which names nobody; refused where there is nothing to erase any more.
    pub fn reason(&self, given: &str, nothing_left: bool) -> Result<String> {
        let reason = text::required(given, "reason", REASON)?;
        if nothing_left {
            return Err(Error::refused(Code::NothingToErase));
        }
        if self.stand_in(&reason) {
            return Err(Error::invalid(Code::ReasonNamesErased, "reason"));
        }
        Ok(reason)
    }

    /// The text with a mark for each of the words.
    pub fn struck_from(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, word| text.replace(word, MARK))
    }

    /// Whether one of the words stands in a payload.
    fn stand_in_payload(&self, payload: &str) -> bool {
        // In the payload itself they may be escaped.
        serde_json::from_str(payload)
            .map_or_else(|_| self.stand_in(payload), |value| self.stand_in_value(&value))
    }

    fn stand_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.stand_in(text),
            Value::Array(items) => items.iter().any(|item| self.stand_in_value(item)),
            Value::Object(fields) => fields.values().any(|field| self.stand_in_value(field)),
            Value::Number(number) => self.stand_in(&number.to_string()),
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// Erases every event about `subject` in whose payload one of the words stands; tells how many those were.
    pub async fn erase_events(&self, tx: &Tx<'_>, subject: Uuid) -> Result<usize> {
        Ok(self.erase_events_about(tx, [subject]).await?.len())
    }

    /// The same of several subjects at once; tells of each event what it was about.
    pub async fn erase_events_about(
        &self,
        tx: &Tx<'_>,
        subjects: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<Uuid>> {
        let about: Vec<(EventId, Uuid, String)> = event::Entity::find()
            .select_only()
            .columns([event::Column::Id, event::Column::SubjectId, event::Column::Payload])
            .filter(event::Column::SubjectId.is_in(subjects))
            .filter(event::Column::Payload.is_not_null())
            .into_tuple()
            .all(&tx.db)
            .await?;
        let named = about.into_iter().filter(|(.., payload)| self.stand_in_payload(payload));
        let (named, subjects): (Vec<EventId>, Vec<Uuid>) =
            named.map(|(id, subject, _)| (id, subject)).unzip();
        for ids in named.chunks(super::super::chain::BINDABLE) {
            event::Entity::update_many()
                .col_expr(event::Column::Payload, Expr::val(Option::<String>::None))
                .col_expr(event::Column::Salt, Expr::val(Option::<Vec<u8>>::None))
                .filter(event::Column::Id.is_in(ids.iter().copied()))
                .exec(&tx.db)
                .await?;
        }
        Ok(subjects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand_and_short_ones_are_left() {
        let words =
            Words::of([Some(" 张三丰 "), Some("13912345678"), Some("王"), Some("110"), Some(""), None]);
        assert_eq!(words.struck_from("王家的张三丰，电话13912345678，报警110"), "王家的**，电话**，报警110");
        for payload in [
            "{\"a\":\"找张三丰\"}",
            "{\"a\":[{\"b\":\"\\u5f20\\u4e09\\u4e30\"}]}",
            "{\"a\":13912345678}",
            "not JSON, 张三丰",
        ] {
            assert!(words.stand_in_payload(payload), "{payload}");
        }
        for payload in ["{\"a\":\"张三\"}", "{\"a\":null,\"b\":true}", "{\"a\":\"王\"}", "{}"] {
            assert!(!words.stand_in_payload(payload), "{payload}");
        }
        assert!(!Words::of([None]).stand_in("什么"));
    }
}
