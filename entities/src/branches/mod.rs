//! Party branches (党组织): their tree, where they are hosted, how many members they count, what they serve, and instructors where there is
//! none. Tables only; the verbs stand in the `concord` crate.
pub mod branch_host;
pub mod branch_instructor;
pub mod branch_matter;
pub mod branch_member_count;
pub mod party_branch;
