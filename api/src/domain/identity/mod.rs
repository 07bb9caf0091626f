//! Who may come in: accounts, their seats, sessions and keys.

pub mod account;
pub mod door;
pub mod seat;
