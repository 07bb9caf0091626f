//! Imports: files of other systems become calls of verbs. Reading and mapping stand here, no rule of the domain does.

pub mod problems;
mod rows;
