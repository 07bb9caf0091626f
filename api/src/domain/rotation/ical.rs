//! The rotation as an iCalendar feed (RFC 5545).
//! This room writes what it is given: identifiers, sequence numbers and times come from the caller, so that the same
//! rotation always gives the same bytes and a change moves an event instead of duplicating it.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use icalendar::{Calendar, Class, Component, Event, EventLike, EventStatus, Property};

/// Names the program that wrote the feed, as RFC 5545 asks for.
const PRODUCT: &str = "-//Concord//Rotation//ZH";

/// How settled an event of the feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStatus {
    Tentative,
    Confirmed,
    Cancelled,
}

/// One slot of the rotation as an all-day event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Stays the same for as long as the slot exists, whoever is on duty.
    pub uid: String,
    /// Grows with every change of the slot.
    pub sequence: u32,
    pub summary: String,
    pub description: String,
    pub starts_on: NaiveDate,
    pub ends_on_exclusive: NaiveDate,
    pub status: FeedStatus,
    /// When the slot last changed; the feed has no other notion of time.
    pub updated_at: DateTime<Utc>,
}

/// A rotation and the name and time zone under which calendars show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    pub name: String,
    pub time_zone: Tz,
    pub events: Vec<FeedEvent>,
}

/// Renders a feed as the text of an `.ics` file.
pub fn render(feed: &Feed) -> String {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(Property::new("VERSION", "2.0"))
        .append_property(Property::new("PRODID", PRODUCT))
        .append_property(Property::new("CALSCALE", "GREGORIAN"))
        .append_property(Property::new("METHOD", "PUBLISH"))
        // The crate escapes a text only where it knows the property to be one, and it does not know NAME.
        .append_property(Property::new("NAME", plain(&feed.name)).add_parameter("VALUE", "TEXT").done())
        .append_property(Property::new("X-WR-CALNAME", plain(&feed.name)))
        .timezone(feed.time_zone.name());
    for event in &feed.events {
        calendar.push(rendered(event));
    }
    fold(&calendar.to_string())
}

fn rendered(slot: &FeedEvent) -> Event {
    let mut event = Event::new();
    event
        // Without these two the crate makes up an identifier and takes the current time.
        .uid(&plain(&slot.uid))
        .timestamp(slot.updated_at)
        .last_modified(slot.updated_at)
        .sequence(slot.sequence)
        .summary(&plain(&slot.summary))
        .starts(slot.starts_on)
        .ends(slot.ends_on_exclusive)
        .class(Class::Public)
        .status(match slot.status {
            FeedStatus::Tentative => EventStatus::Tentative,
            FeedStatus::Confirmed => EventStatus::Confirmed,
            FeedStatus::Cancelled => EventStatus::Cancelled,
        })
        // Being on duty for a month does not make anyone's calendar busy.
        .append_property(("TRANSP", "TRANSPARENT"));
    if !slot.description.is_empty() {
        event.description(&plain(&slot.description));
    }
    event.done()
}

/// Folds content lines at 75 octets without splitting a character. The crate folds too, but counts the space that begins
/// a continued line only where another line follows, so its last line can be an octet too long.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.replace("\r\n ", "").split_terminator("\r\n") {
        let mut octets = 0;
        for character in line.chars() {
            octets += character.len_utf8();
            if octets > 75 {
                folded.push_str("\r\n ");
                octets = 1 + character.len_utf8();
            }
            folded.push(character);
        }
        folded.push_str("\r\n");
    }
    folded
}

/// Leaves line feeds as the only control characters: a carriage return inside a value would end the content line.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|&character| character == '\n' || !character.is_control())
        .collect()
}

#[cfg(test)]
#[path = "ical_tests.rs"]
mod tests;
