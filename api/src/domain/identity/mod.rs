//! Who may come in: accounts, their seats, sessions and keys.

pub mod account;
pub mod admission;
pub mod api_key;
pub mod authority;
pub mod door;
pub mod erasure;
pub mod external_identity;
pub mod issuer;
pub mod jws;
pub mod link;
pub mod open_work;
pub mod parts;
pub mod password;
pub mod seat;
pub mod secret;
pub mod session;
pub mod signing;
pub mod stored_documents;
pub mod token;
pub mod turns;
