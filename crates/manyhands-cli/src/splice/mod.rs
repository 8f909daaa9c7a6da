//! Tables in a document that are made from records: found by their markers,
//! and made anew.
//!
//! A marker names the record, and what stands from the line after it to the
//! line that ends the table is made from that record alone:
//!
//! ```text
//! <!-- table: benches/record/2026-11-21/files.csv -->
//! <!-- end of table -->
//! ```

mod document;
mod marker;
mod rows;
mod runs;
mod table;

pub(crate) use self::document::{Spliced, splice};
pub(crate) use self::marker::Marker;
pub(crate) use self::table::table;
