//! Who may come in: accounts, sessions, seats and keys. Tables only; the verbs stand in the `concord` crate.
pub mod account;
pub mod account_link;
pub mod api_key;
pub mod api_key_document;
pub mod api_key_scope;
pub mod external_identity;
pub mod idempotency_key;
pub mod refresh_token;
pub mod seat;
pub mod session;
