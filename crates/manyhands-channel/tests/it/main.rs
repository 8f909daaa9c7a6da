//! What the tutorials' programs show, and what the pool promises beyond the
//! laws.

mod pool;
mod tutorial;
