//! Pages: a Markdown file a study, and one HTML file that holds everything.

mod html;
mod markdown;

pub(crate) use html::index;
pub(crate) use markdown::{heading, mark, shown, study};
