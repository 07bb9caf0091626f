//! Who may come in: accounts, their seats, sessions and keys.

pub mod account;
pub mod issuer;
pub mod jws;
pub mod password;
pub mod seat;
pub mod secret;
pub mod signing;
pub mod token;
