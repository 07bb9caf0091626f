//! Mobilisation (红色动员令): who stands paired with which place, orders that call units and people, and what of them is covered.
//! Tables only; the verbs stand in the `concord` crate.
pub mod home_report;
pub mod mobilization;
pub mod mobilization_batch;
pub mod mobilization_check_in;
pub mod mobilization_coverage;
pub mod mobilization_need;
pub mod mobilization_region;
pub mod mobilization_sequence;
pub mod mobilization_shift;
pub mod mobilization_transfer;
pub mod mobilization_unit;
pub mod pairing;
pub mod person_salt;
