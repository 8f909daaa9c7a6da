//! What core promises, a module a part.

mod completion;
mod ext;
mod handle;
mod inline;
mod intake;
mod results;
mod run;
