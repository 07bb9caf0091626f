//! The verbs: every rule of Concord. Knows nothing of GraphQL resolvers or HTTP.

pub mod branch;
pub mod bulk;
pub mod calendar;
pub mod chain;
pub mod context;
pub mod credit_code;
pub mod error;
pub mod event;
pub mod fact;
pub mod feed;
pub mod file;
pub mod governance;
pub mod grid;
pub mod idempotency;
pub mod identity;
pub mod ledger;
pub mod list;
pub mod mobilization;
pub mod number_pattern;
pub mod page;
pub mod policy;
pub mod privacy;
pub mod rotation;
pub mod scope;
pub mod territory;
pub mod text;
pub mod whistle;

pub use self::{
    context::{Actor, App, Ctx, HELD, Tx},
    error::{Code, Error, Result},
    event::{Event, Fact},
    policy::{Action, Standing, Target},
};
