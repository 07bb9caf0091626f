//! What happened: events, their chain, and who has been told. Tables only; the verbs stand in the `concord` crate.
pub mod checkpoint;
pub mod event;
pub mod event_chain;
pub mod event_organization;
pub mod event_pending;
pub mod event_seal;
pub mod hand_cursor;
pub mod inbox_entry;
