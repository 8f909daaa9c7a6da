//! Traces as pictures: SVG that needs no script.

mod columns;
mod depth;
mod picture;
mod scale;
mod strips;
mod text;
mod timeline;

pub use crate::draw::depth::{Bounds, depth, depth_frame};
pub use crate::draw::picture::{Picture, STYLE};
pub use crate::draw::scale::{Scale, seconds, short, span};
pub use crate::draw::strips::strips;
pub use crate::draw::text::escape;
pub use crate::draw::timeline::timeline;
